"""Reading the source of a cell: names, imports, and many threads at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.source import bound_in, globals_in, imports_of, names_in


@pytest.mark.parametrize(("source", "bound", "free"), [
    ("x = 1", {"x"}, set()),
    ("def f(a):\n    b = a + C\n    return g(b)", {"f"}, {"C", "g"}),
    ("df['x'] = y\nmodel.rate = 2", {"df", "model"}, {"df", "y", "model"}),
    ("for i in rows:\n    total += i", {"i", "total"}, {"rows"}),
    ("if ok:\n    def f():\n        return late\nlate = 3", {"f", "late"}, {"ok"}),
    ("with a as (b, c):\n    pass", {"b", "c"}, {"a"}),
    ("%matplotlib inline", set(), set()),
    ("def broken(:", set(), set()),
    ("x = \0", set(), set()),
])  # fmt: skip
def test_what_a_cell_binds_and_reads(source: str, bound: set[str], free: set[str]) -> None:
    assert bound_in(source) == bound
    assert globals_in(source) == free


def test_a_local_name_is_not_read_from_outside() -> None:
    source = "def train(rows):\n    forest = Forest()\n    return forest.fit(rows)"
    assert "forest" in names_in(source)
    assert globals_in(source) == {"Forest"}


def test_pythons_own_names_are_nobodys() -> None:
    assert names_in("print(len(x))") == {"x"}


def test_imports() -> None:
    cells = ["import os, numpy as np", "def f():\n    from a.b import c\n    from . import d", "!ls", "import os"]
    assert imports_of(cells) == ["os", "numpy", "a.b"]


def test_a_source_nested_too_deeply_is_no_plain_python() -> None:
    assert names_in("(" * 5000 + ")" * 5000) == set()
    assert names_in("-" * 100_000 + "1") == set()


def test_many_threads_read_at_once() -> None:
    sources = [f"x{n} = [{', '.join(f'(a{n}, [b, {{c: {m}}}])' for m in range(60))}]" for n in range(300)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(names_in, sources))
    assert found == [{f"x{n}", f"a{n}", "b", "c"} for n in range(300)]
