"""Reading the source of a cell: names, imports, and many threads at once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from autograder.lab.source import bound_in, globals_in, imports_of, names_in


@pytest.mark.parametrize(("source", "bound", "free"), [
    ("x = 1", {"x"}, set()),
    ("def f(a):\n    b = a + C\n    return g(b)", {"f"}, {"C", "g"}),
    ("df['x'] = y\nmodel.rate = 2", {"df", "model"}, {"df", "y", "model"}),
    ("for i in rows:\n    total += i", {"i", "total"}, {"rows"}),
    ("if ok:\n    def f():\n        return late\nlate = 3", {"f", "late"}, {"ok"}),
    ("with a as (b, c):\n    pass", {"b", "c"}, {"a"}),
    ("%matplotlib notebook", set(), {"notebook"}),
    ("def broken(:", set(), {"def", "broken"}),
    ("x = \0", set(), {"x"}),
])  # fmt: skip
def test_what_a_cell_binds_and_reads(source: str, bound: set[str], free: set[str]) -> None:
    assert bound_in(source) == bound
    assert globals_in(source) == free


HIDDEN = "N = len(table)\ndef mean(df):\n    return df.mean() + N"


@pytest.mark.parametrize("source", [
    HIDDEN,
    f"%%time\n{HIDDEN}",
    f"%%time\n%matplotlib inline\n{HIDDEN}",
    f"%matplotlib inline\n{HIDDEN}",
    f"!pip install -q \\\n  lightgbm\n{HIDDEN}",
    f"table?\n{HIDDEN}",
    f"%time N = len(table)\n{HIDDEN.partition(chr(10))[2]}",
    f"if True:\n    !ls\n{HIDDEN}",
    "    " + HIDDEN.replace("\n", "\n    "),
    f"%%capture\n{HIDDEN}",
    ">>> " + HIDDEN.replace("\n", "\n... ").replace("... def", ">>> def"),
])  # fmt: skip
def test_a_magic_hides_no_name(source: str) -> None:
    """honest-magics-hide-names, public/10-magic-hides-names."""
    assert "table" in names_in(source)
    assert "table" in globals_in(source)
    assert {"N", "mean"} <= bound_in(source)


@pytest.mark.parametrize("source", [
    "%timeit -n 10 len(table)",
    "!head {table}",
    "lines = !head $table",
    "%%bash -s {table}\necho $1",
    "%%script python\nprint table",
    "%%time\n%%capture out\nlen(table)",
    "print(eval('len(table)'))",
    "rows.query('amount > @table')",
    "globals()['table']",
    "print 'two', table",
    "%%time\nprint 'two', table",
    "%time\n" * 2_000 + "table",
])  # fmt: skip
def test_what_cannot_be_read_may_need_all_that_it_spells(source: str) -> None:
    """honest-magics-hide-names: also where it is no Python even for IPython, or text that is run."""
    assert "table" in names_in(source)
    assert "table" in globals_in(source)


def test_a_cell_of_thousands_of_magics_is_read_in_no_time() -> None:
    begin = time.monotonic()
    names_in("%time x\n" * 20_000)
    names_in("'%' " * 50_000 + "?")
    assert time.monotonic() - begin < 5


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
    assert names_in("-" * 100_000 + "x") == {"x"}


def test_many_threads_read_at_once() -> None:
    sources = [f"x{n} = [{', '.join(f'(a{n}, [b, {{c: {m}}}])' for m in range(60))}]" for n in range(300)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(names_in, sources))
    assert found == [{f"x{n}", f"a{n}", "b", "c"} for n in range(300)]
