"""Answers that are nearly the same: winnowed fingerprints of their syntax trees."""

import ast
import hashlib
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

GRAM, WINDOW = 12, 4
"""Length of a gram in nodes of the syntax tree, and of a window in grams: an equal run of 15 nodes is always seen."""

COMMON, MANY = 0.1, 10
"""A gram that a larger part of the class has, or more students than that, is common knowledge, not evidence."""
EVIDENCE = 20
"""Shared fingerprints that a pair is shown from: about eight lines alike that few others have."""

ALIKE = 0.6
"""Share of an exercise's fingerprints that both have, from which the exercise counts as alike."""

LONGEST = 20_000
"""Characters of an answer that are compared."""


@dataclass(frozen=True)
class Pair:
    """Two submissions to look at side by side: how alike, in how many fingerprints, in which exercises."""

    first: str
    second: str
    similarity: float
    shared: int
    exercises: tuple[str, ...]


# Similarity


def _parsed(source: str) -> ast.AST | None:
    """Return the tree of a cell without its magics; None where it is no Python."""
    text = re.sub(r"(?m)^[ \t]*[%!?].*$", "", source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the student's odd escapes
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _in_order(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes of a tree from left to right, parents first, without docstrings."""
    found, stack = [], [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        found.append(node)
        stack.extend(reversed(list(ast.iter_child_nodes(node))))
    return found


def _chosen(tree: list[ast.AST]) -> frozenset[str]:
    """Return the names that a cell gives to things itself."""
    names: set[str] = set()
    for node in tree:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias) and node.asname:
            names.add(node.asname)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return frozenset(names)


def _constant(value: object) -> str:
    if isinstance(value, (str, bytes)):
        return "text"
    return hex(value) if isinstance(value, int) else repr(value)  # a very long number has no decimal form


_DULL = (ast.expr_context, ast.Expr, ast.arguments, ast.Module)


def nodes(source: str) -> list[str]:
    """Return the nodes of a cell's syntax tree in order: chosen names, texts and comments do not tell them apart."""
    parsed = _parsed(source)
    if parsed is None:
        return re.findall(r"[^\W\d]\w*|\d+|[^\w\s]", re.sub(r"#.*", "", source))
    tree = _in_order(parsed)
    chosen, found = _chosen(tree), []
    for node in tree:
        if isinstance(node, ast.Constant):
            found.append(_constant(node.value))
        elif isinstance(node, ast.Name):
            found.append("name" if node.id in chosen else node.id)
        elif isinstance(node, ast.Attribute):
            found.append(f".{node.attr}")
        elif isinstance(node, ast.keyword):
            found.append(f"{node.arg}=")
        elif not isinstance(node, _DULL):
            found.append(type(node).__name__)
    return found


def _grams(tokens: Sequence[str]) -> list[int]:
    """Return the hash of each run of `GRAM` tokens."""
    texts = ("\x1f".join(tokens[at : at + GRAM]) for at in range(len(tokens) - GRAM + 1))
    return [int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) for text in texts]


@lru_cache(maxsize=512)
def _all_grams(source: str) -> frozenset[int]:
    return frozenset(_grams(nodes(source)))


def fingerprints(source: str) -> frozenset[int]:
    """Return the fingerprints of a cell's first `LONGEST` characters: of each window of grams the smallest hash."""
    return _fingerprints(source[:LONGEST])


@lru_cache(maxsize=512)
def _fingerprints(source: str) -> frozenset[int]:
    hashes = _grams(nodes(source))
    if len(hashes) <= WINDOW:
        return frozenset(hashes[:1] and [min(hashes)])
    return frozenset(min(hashes[at : at + WINDOW]) for at in range(len(hashes) - WINDOW + 1))


def similar(students: Sequence[tuple[str, dict[str, frozenset[int]]]], evidence: int = EVIDENCE) -> list[Pair]:
    """Return the pairs of submissions that are alike beyond what the class has in common, most evidence first.

    Args:
        students: Name, and fingerprints by exercise.
        evidence: Shared fingerprints that a pair is shown from.
    """
    count = len(students)
    limit = max(2, min(count // 2, MANY, max(3, int(count * COMMON))))
    index: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, (_, prints) in enumerate(students):
        for exercise, hashes in prints.items():
            for one in hashes:
                index[exercise, one].append(number)
    own: Counter[tuple[int, str]] = Counter()
    both: Counter[tuple[int, int, str]] = Counter()
    for (exercise, _), numbers in index.items():
        if len(numbers) > limit:
            continue
        own.update((number, exercise) for number in numbers)
        both.update((a, b, exercise) for a, b in combinations(numbers, 2))

    alike: dict[tuple[int, int], list[tuple[str, int, int]]] = defaultdict(list)
    for (a, b, exercise), shared in both.items():
        union = own[a, exercise] + own[b, exercise] - shared
        if shared >= ALIKE * union:
            alike[a, b].append((exercise, shared, union))
    pairs = []
    for (a, b), found in alike.items():
        shared = sum(one for _, one, _ in found)
        if shared >= evidence:
            exercises = tuple(sorted(exercise for exercise, _, _ in found))
            first, second = sorted((students[a][0], students[b][0]))
            pairs.append(Pair(first, second, shared / sum(union for _, _, union in found), shared, exercises))
    return sorted(pairs, key=lambda pair: (-pair.shared, -pair.similarity, pair.first, pair.second))
