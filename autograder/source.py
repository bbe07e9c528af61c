"""What can be read off the source of a cell without running it."""

import ast
import builtins
import symtable
import threading
from collections.abc import Iterable
from functools import lru_cache

_BUILTINS = frozenset(dir(builtins))
_PARSING = threading.Lock()
"""Python 3.11 counts the depth of the tree it makes once for all threads, and fails when two make one (gh-106905)."""


def _parsed(source: str) -> ast.Module | None:
    """Return the tree of a cell, None for one that is no plain Python."""
    with _PARSING:
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


@lru_cache(maxsize=4096)
def names_in(source: str) -> frozenset[str]:
    """Return every name that a cell mentions, wherever in it, but for Python's own."""
    tree = _parsed(source)
    return (
        frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name)) - _BUILTINS if tree else frozenset()
    )


@lru_cache(maxsize=4096)
def globals_in(source: str) -> frozenset[str]:
    """Return the names that a cell reads and does not bind itself."""
    with _PARSING:
        try:
            top = symtable.symtable(source, "cell", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return frozenset()
    found, tables = set[str](), [top]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        found |= {
            name.get_name()
            for name in table.get_symbols()
            if name.is_referenced() and (name.is_global() or (table is top and not name.is_assigned()))
        }
    return frozenset(found - {name.get_name() for name in top.get_symbols() if name.is_assigned()})


@lru_cache(maxsize=4096)
def bound_in(source: str) -> frozenset[str]:
    """Return the names that a cell binds at its top level, or whose attributes or items it sets there."""
    found: set[str] = set()
    tree = _parsed(source)
    for statement in tree.body if tree else ():
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
    return frozenset(found)


def imports_of(sources: Iterable[str]) -> list[str]:
    """Return the modules that some cells import, in order."""
    found: dict[str, None] = {}
    for source in sources:
        tree = _parsed(source)
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Import):
                found |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module] = None
    return list(found)
