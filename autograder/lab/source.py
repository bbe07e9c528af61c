"""What can be read off the source of a cell without running it. A cell is read as IPython reads it, magics included.

What is no Python, not even for IPython, or is run as text, is taken to read every name that is spelled in it.
"""

import ast
import builtins
import re
import symtable
import threading
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, wraps
from typing import NamedTuple

_BUILTINS = frozenset({*dir(builtins), "get_ipython"})
LONGEST = 200_000
"""Characters of a cell that is read. Of a longer one no names are known: its tree would take long, and much memory."""
_PARSING = threading.Lock()
"""Python 3.11 counts the depth of the tree it makes once for all threads, and fails when two make one (gh-106905)."""
_WORD = re.compile(r"[^\W\d]\w*")
_RUNS_TEXT = frozenset({"eval", "exec", "globals", "locals", "query", "vars"})
_MAGIC = frozenset({"getoutput", "run_cell_magic", "run_line_magic", "system"})
"""Methods of IPython's shell that its transformer calls in the place of what is not Python."""
_DEEPEST = 8  # magics within magics
_MOST_WORK = 500_000  # characters times magics: IPython reads a cell anew for each of them
_ESCAPES = re.compile(r"^[ \t]*([,;/]+)", re.MULTILINE)
"""What IPython takes at the start of a line for a call to be completed, once a character."""


class _Reading(NamedTuple):
    """What was read off a cell: the Python in it as text and as trees, names that other text may read."""

    texts: tuple[str, ...]
    trees: tuple[ast.Module, ...]
    words: frozenset[str]


def _parsed(source: str) -> ast.Module | None:
    """Return the tree of a source, None for one that is no plain Python."""
    with _PARSING:
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _as_python(source: str) -> str:
    """Return a cell as IPython would run it; unchanged where it cannot be read, or not in bearable time."""
    escapes = sum(map(source.count, "%!?")) + sum(map(len, _ESCAPES.findall(source)))
    if len(source) * escapes > _MOST_WORK:
        return source
    from IPython.core.inputtransformer2 import TransformerManager  # most cells do without

    try:
        python: str = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
        return python
    except Exception:  # who wrote it may have meant to break it
        return source


@lru_cache(maxsize=64)  # trees are large
def _read(source: str, depth: int = 0) -> _Reading:
    text, tree = source, _parsed(source)
    if tree is None and depth < _DEEPEST:
        text = _as_python(source)
        tree = _parsed(text)
    if tree is None:
        return _Reading((), (), words_in(source))
    read = _Reading((text,), (tree,), frozenset())
    for python, other in _within(tree):
        inner = _read(python, depth + 1)
        read = _Reading(read.texts + inner.texts, read.trees + inner.trees, read.words | inner.words | words_in(other))
    return read


def _within(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the texts that a cell has something run, each as what may be Python, and what is something else."""
    nodes = list(ast.walk(tree))
    called = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    if _RUNS_TEXT & called.union(node.id for node in nodes if isinstance(node, ast.Name)):
        yield "", " ".join(_texts(nodes))
    for call in nodes if called & _MAGIC else ():
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _MAGIC:
            *front, last = ["", *_texts(call.args)]
            is_shells = call.func.attr in ("getoutput", "system")
            yield ("", last) if is_shells else (last, " ".join(front[2:]))


def _texts(nodes: Iterable[ast.AST]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def _remembered(read: Callable[[str], frozenset[str]]) -> Callable[[str], frozenset[str]]:
    known = lru_cache(maxsize=4096)(read)

    @wraps(read)
    def names(source: str) -> frozenset[str]:
        return known(source) if len(source) <= LONGEST else frozenset()

    return names


@_remembered
def names_in(source: str) -> frozenset[str]:
    """Return every name that a cell mentions, wherever in it, but for Python's own."""
    read = _read(source)
    return read.words.union(*map(_names, read.trees)) - _BUILTINS


def _names(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def without_docstrings(source: str) -> str:
    """Return a cell that does the same and says nothing of itself; one that is no plain Python as it is."""
    if (tree := _parsed(source)) is None:
        return source
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(node, False):
            node.body[0] = ast.copy_location(ast.Pass(), node.body[0])
    return ast.unparse(tree)


def words_in(text: str) -> frozenset[str]:
    """Return every word of a text that could be a name."""
    return frozenset(_WORD.findall(text))


@_remembered
def globals_in(source: str) -> frozenset[str]:
    """Return the names that a cell reads and does not bind itself."""
    read = _read(source)
    found, own = set(read.words), set[str]()
    for text in read.texts:
        with _PARSING:
            try:
                top = symtable.symtable(text, "cell", "exec")
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                found |= words_in(text)
                continue
        own |= {name.get_name() for name in top.get_symbols() if name.is_assigned()}
        tables = [top]
        while tables:
            table = tables.pop()
            tables += table.get_children()
            found |= {
                name.get_name()
                for name in table.get_symbols()
                if name.is_referenced() and (name.is_global() or (table is top and not name.is_assigned()))
            }
    return frozenset(found - own - {"get_ipython"})


@_remembered
def bound_in(source: str) -> frozenset[str]:
    """Return the names that a cell binds at its top level, or whose attributes or items it sets there."""
    return frozenset[str]().union(*map(_bound, _read(source).trees))


def _bound(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(statement.name)
            continue
        for node in ast.walk(statement):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
                base: ast.expr = node
                while isinstance(base, (ast.Attribute, ast.Subscript)):
                    base = base.value
                if isinstance(base, ast.Name):
                    found.add(base.id)
    return found


def imports_of(sources: Iterable[str]) -> list[str]:
    """Return the modules that some cells import, in order."""
    found: dict[str, None] = {}
    for source in sources:
        for tree in _read(source).trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    found |= dict.fromkeys(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found[node.module] = None
    return list(found)
