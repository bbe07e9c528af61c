"""What of a lab can depend on one of its answers, read off its cells without running them.

A proof grades hundreds of answers that differ in one cell. What that cell cannot reach is as it was in the reference's
own run, and what no answer can reach may run once for all of them. Both are said on the safe side: a cell that looks
names up by their text, or is no plain Python, reads everything.
"""

import ast
import re
from collections.abc import Collection

from autograder.lab.marks import BESIDE
from autograder.lab.source import bound_in, globals_in, names_in
from autograder.model import ANSWER, LOCKED, MANUAL, TEST, TEXT, Key

BY_TEXT = frozenset({"eval", "exec", "globals", "locals", "vars", "get_ipython", "__main__", "__dict__"})
"""Words of code that may look a name up by its text."""
GIVEN_TEXT = re.compile(r"getattr|hasattr|setattr|delattr|attrgetter|methodcaller|import_module|patch|mock|inspect")
"""What looks up a name whose text is handed to it. Where no cell says one of these, a text is only a text."""


def _reads(source: str, by_text: Collection[str]) -> frozenset[str] | None:
    """Return the names that a cell may read and does not bind itself; None for all there are.

    `by_text`: names that count where they are a whole text, too, as in `getattr(module, "area")`.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    found = set(_needs(source))
    for node in ast.walk(tree):
        words = {ast.Name: "id", ast.Attribute: "attr", ast.Constant: "value"}.get(type(node))
        word = getattr(node, words) if words else ""
        if word in BY_TEXT and not (isinstance(node, ast.Constant) and word.isalpha()):  # "eval" may be any word
            return None
        if isinstance(node, ast.Constant) and isinstance(word, str) and word in by_text:
            found.add(word)
    return frozenset(found)


def _needs(source: str) -> set[str]:
    """Return the names that plain code of a cell reads before it binds them, if it does."""
    found, own = set(globals_in(source)), set[str]()
    for statement in ast.parse(source).body:
        if isinstance(statement, (ast.Assign, ast.AugAssign, ast.Expr)):  # `area = area(3)` reads another cell's
            nodes = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
            within = {node.id for part in ast.walk(statement) if isinstance(part, ast.comprehension)
                      for node in ast.walk(part.target) if isinstance(node, ast.Name)}  # fmt: skip
            aug = isinstance(statement, ast.AugAssign)
            found |= {node.id for node in nodes if aug or isinstance(node.ctx, ast.Load)} - own - within
        own |= _binds(ast.unparse(statement))
    return found


def _binds(source: str) -> set[str]:
    """Return the names that a cell binds at its top level, by an import too; of what is no Python, all its words."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return set(re.findall(r"\w+", source))
    imports = (node for node in statements if isinstance(node, (ast.Import, ast.ImportFrom)))
    names = (alias.asname or alias.name for node in imports for alias in node.names)
    return {name.partition(".")[0] for name in names} | bound_in(source)


def _touches(source: str, names: set[str], by_text: Collection[str]) -> bool:
    reads = _reads(source, by_text)
    return reads is None or not reads.isdisjoint(names)


def _bound_by(key: Key, *kinds: str) -> set[str]:
    return set[str]().union(*(_binds(cell.source) for cell in key.cells if cell.kind in kinds and cell.runs))


def reached(key: Key, answer: str, source: str = "") -> set[str]:
    """Return the tests whose points may change with an answer's cell: its own, and what builds on it, however far.

    Args:
        key: The lab.
        answer: The answer's `grade_id`.
        source: What stands in the cell instead of the reference answer; it may bind other names.
    """
    tests = {cell.grade_id for cell in key.tests if key.exercise(cell.grade_id) == answer}
    changed = _binds(source).union(*(_binds(cell.source) for cell in key.cells if cell.grade_id in (answer, *tests)))
    others = [cell for cell in key.cells if cell.runs and cell.grade_id != answer]
    looked_up = any(GIVEN_TEXT.search(text) for text in (source, *(cell.source for cell in key.cells if cell.runs)))
    by_text = _bound_by(key, ANSWER, MANUAL, LOCKED) | _binds(source) if looked_up else set[str]()
    while True:
        hit = [cell for cell in others if _touches(cell.source, changed, by_text)]
        grown = changed.union(*(_binds(cell.source) for cell in hit))
        if grown == changed:
            return tests | {cell.grade_id for cell in hit if cell.kind == TEST}
        changed = grown


def with_needed(key: Key, tests: set[str]) -> set[str]:
    """Return tests and the ones above them that bind a name which they read: without those they would fail by that."""
    needed = set(tests)
    for at, cell in reversed([*enumerate(key.cells)]):
        if cell.grade_id in needed:
            needed |= {above.grade_id for above in key.cells[:at]
                       if above.kind == TEST and not _binds(above.source).isdisjoint(_needs(cell.source))}  # fmt: skip
    return needed


def independent(key: Key) -> list[str]:
    """Return the sources of the instructor's cells below the first answer that no answer and no test can change.

    Such a cell does the same if it runs before all answers: it reads nothing that they bind, directly or by what it
    calls, and no cell above it names what it binds.
    """
    first = next((at for at, cell in enumerate(key.cells) if cell.kind not in (LOCKED, TEXT)), len(key.cells))
    loose, by_text = _bound_by(key, ANSWER, MANUAL, TEST), _bound_by(key, ANSWER, MANUAL)
    named, found = set[str](), list[str]()  # `named`: by the cells that would run after it now, and before it then
    for at, cell in enumerate(key.cells):
        if not cell.runs:
            continue
        binds = _binds(cell.source)
        if cell.kind == LOCKED:
            if not (
                BESIDE in cell.source.splitlines() or _touches(cell.source, loose, by_text) or binds & (loose | named)
            ):
                found += [cell.source] if at >= first else []
                continue
            loose |= binds
        if at >= first:
            named |= names_in(cell.source) | binds
    return found
