"""Mutants: each operator changes its spot and no other, the sample is fair, and exemptions that no longer hold cry."""

import ast
import statistics
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from authoring.labs import lab_names, source_notebook
from authoring.proof.answers import Exemption, load_alternatives, load_exemptions
from authoring.proof.mutants import FEWER, MOST, Mutant, judge, mutants, unchanged
from authoring.repository import ROOT
from autograder.lab.key import key_from_source
from autograder.model import ANSWER, MANUAL, TEST, Cell, Key
from base.errors import BuildError
from tests.mini_course import LAB, LAB_SOURCE, make_course, write

LABS = lab_names(ROOT)
FEWEST_ALTERNATIVES = 2


def key(source: str, stub: str = "") -> Key:
    return Key("lab", (Cell(ANSWER, "code", source, "ex1"),), {"ex1": stub}, {})


def made(line: str) -> set[str]:
    """Return what a line of an answer becomes, mutant by mutant."""
    return {mutant.becomes for mutant in mutants(key(f"def f(a, b, *args):\n    {line}\n    g(a)"), None)} - {"pass"}


@pytest.mark.parametrize(("line", "becomes"), [
    ("x = a < b", {"x = a <= b", "x = a >= b"}),
    ("x = a <= b", {"x = a < b", "x = a > b"}),
    ("x = a > b", {"x = a >= b", "x = a <= b"}),
    ("x = a >= b", {"x = a > b", "x = a < b"}),
    ("x = a == b", {"x = a != b"}),
    ("x = a != b", {"x = a == b"}),
    ("x = a in(b)", {"x = a not in(b)"}),
    ("x = (a) not  in b", {"x = (a) in b"}),
    ("x = a is b", {"x = a is not b"}),
    ("x = a is not b", {"x = a is b"}),
    ("x = a < b == c", {"x = a <= b == c", "x = a >= b == c", "x = a < b != c"}),
    ("x = (a + b) - c", {"x = (a - b) - c", "x = (a + b) + c"}),
    ("x = a * b", {"x = a / b"}),
    ("x = a / b", {"x = a * b"}),
    ("x = a // b", {"x = a / b"}),
    ("x = a % b", {"x = a // b"}),
    ("x = a ** b", {"x = a * b"}),
    ("x = a & b", {"x = a | b"}),
    ("x += a", {"x -= a", "x = a"}),
    ("x /= a", {"x *= a", "x = a"}),
    ("x = a and (b or c)", {"x = True and (b or c)", "x = a and (True)", "x = a and (False or c)",
                            "x = a and (b or False)"}),
    ("x = not (a)", {"x = (a)"}),
    ("x = ~a", {"x = a"}),
    ("x = -a", {"x = a"}),
    ("x = 0", {"x = 1", "x = -1"}),
    ("x = -1", {"x = -2", "x = -0"}),
    ("x = 0.5", {"x = 1.0", "x = 0.25"}),
    ("x = 0.0", {"x = 1.0", "x = -1.0"}),
    ("x = True", {"x = False"}),
    ("x = 'name', ...", set()),
    ("x = a[:b]", {"x = a[1:b]", "x = a[:b + 1]", "x = a[:b - 1]", "x = a[:]"}),
    ("x = a[b:]", {"x = a[b:-1]", "x = a[b + 1:]", "x = a[b - 1:]", "x = a[:]"}),
    ("x = a[b - 1:][:]", {"x = a[b + 1:][:]", "x = a[b - 2:][:]", "x = a[b - 0:][:]", "x = a[:][:]",
                          "x = a[b - 1:-1][:]"}),
    ("x = range(a, len(b))", {"x = range(a + 1, len(b))", "x = range(a - 1, len(b))", "x = range(a, len(b) + 1)",
                              "x = range(a, len(b) - 1)"}),
    ("x = split(a, size=b, stratify=c)", {"x = split(a, stratify=c)", "x = split(a, size=b)"}),
    ("x = f(on=(a), **b)", {"x = f(**b)", "x = f(on=(a))"}),
    ("x = f(on=a)", {"x = f()"}),
    ("x = (a, b)", {"x = (None, b)", "x = (a, None)"}),
    ("x = {'k': a}", {"x = {'k': None}"}),
    ("x = b if a else c", {"x = b if True else c", "x = b if False else c"}),
    ("x = b if a < c else c", {"x = b if True else c", "x = b if False else c", "x = b if a <= c else c"}),
    ("x = [a for a in b if a]", {"x = [a for a in b if True]", "x = [a for a in b if False]"}),
    ("return a", {"return None"}),
    ("return 'all'", {"return None", 'return ""'}),
    ("x = min(a)", {"x = max(a)"}),
    ("x = a.any()", {"x = a.all()"}),
    ("x = math.ceil(a)", {"x = math.floor(a)"}),
    ("x = a.isna().mean()", {"x = a.notna().mean()", "x = a.isna().median()"}),
    ("x = sorted(a for a in b)", {"x = list((a for a in b))", "x = sorted((a for a in b), reverse=True)"}),
    ("x = a.copy()", {"x = a"}),
    ("x = dict(a)", {"x = a"}),
    ("x = float(a + b) * c", {"x = (a + b) * c", "x = float(a - b) * c", "x = float(a + b) / c"}),
    ("x = round(a, c)", {"x = a"}),
    ("x = np.sqrt(a)", {"x = a"}),
    ("x = sqrt(a)", set()),
    ("x = f'{a + 1} of {b}'", set()),
    ("x: int = a", set()),
    ("assert a", set()),
    ("del a", set()),
])  # fmt: skip
def test_each_operator_changes_its_spot(line: str, becomes: set[str]) -> None:
    assert made(line) == becomes


def test_statements_are_dropped_loops_left_otherwise_and_decorators_taken_off() -> None:
    source = textwrap.dedent('''\
        def f(rows):
            """Return 1 + 1 of the rows."""
            found = []  # not 1 < 2
            for row in rows:
                if row is None:
                    break
                if row.bad:
                    continue
                found.append(row)
                if row.last:
                    return None
            @cached
            def g():
                return found
            return None
        ''')
    got = {(mutant.line, mutant.name.split(":")[2], mutant.becomes) for mutant in mutants(key(source), None)}
    assert got == {
        (3, "drop-statement", "pass  # not 1 < 2"),
        (5, "always", "if True:"),
        (5, "never", "if False:"),
        (6, "break-to-continue", "continue"),
        (7, "always", "if True:"),
        (7, "never", "if False:"),
        (8, "continue-to-break", "break"),
        (9, "drop-statement", "pass"),
        (10, "always", "if True:"),
        (10, "never", "if False:"),
        (11, "drop-return", "pass"),
        (12, "drop-decorator", ""),
        (14, "return-none", "return None"),
    }, "the docstring, the comment and the last `return None` stay"


def test_only_the_spot_is_changed() -> None:
    source = 'def f(ä):\n    x = "ä·"; y = (ä   +  1)  # ä + 1\n\n    return  y'
    by_name = {mutant.name: mutant for mutant in mutants(key(source), None)}
    one = by_name["ex1:L2:add-to-sub"]
    assert one == Mutant(
        "ex1:L2:add-to-sub", "ex1", 2, source.split("\n")[1].strip(), 'x = "ä·"; y = (ä   -  1)  # ä + 1',
        source.replace("ä   +  1", "ä   -  1"),
    )  # fmt: skip


def test_a_change_over_several_lines_shows_them_without_their_indent() -> None:
    source = "def f(a):\n    return g(\n        a,\n        stratify=a[1],\n    )\n"
    one = next(mutant for mutant in mutants(key(source), None) if "stratify" in mutant.name)
    assert (one.line, one.was, one.becomes) == (3, "a,\nstratify=a[1],", "a,")


def test_names_are_unique_mutants_differ_and_the_order_is_the_texts() -> None:
    source = "def f(a):\n    x = 1 + 1\n    return x < a < x"
    every = mutants(key(source), None)
    assert every == mutants(key(source), None)
    assert len({mutant.name for mutant in every}) == len(every)
    assert "ex1:L2:one-more:2" in {mutant.name for mutant in every}
    dumps = [ast.dump(ast.parse(mutant.source)) for mutant in every]
    assert len(set(dumps)) == len(dumps)
    assert ast.dump(ast.parse(source)) not in dumps
    assert [mutant.line for mutant in every] == sorted(mutant.line for mutant in every)
    assert mutants(key("def f(a):\n    return None"), None) == [], "a result that is None already is no mutant"


def test_what_was_handed_out_stays() -> None:
    stub = "def f(a, bins=10):\n    ..."
    source = "def f(a, bins=10):\n    return a[0]"
    assert {mutant.line for mutant in mutants(key(source), None)} == {1, 2}
    assert {mutant.line for mutant in mutants(key(source, stub), None)} == {2}


def test_magics_are_left_out_with_a_reason_and_the_rest_is_not() -> None:
    cells = (
        Cell(ANSWER, "code", "%matplotlib inline\nx = 1", "ex1"),
        Cell(ANSWER, "code", "x = 1", "ex2"),
        Cell(ANSWER, "markdown", "x = 1", "ex3"),
        Cell(MANUAL, "code", "x = 1", "ex4"),
        Cell(TEST, "code", "x = 1", "ex2-test"),
    )
    lab = Key("lab", cells, {}, {})
    assert {mutant.answers for mutant in mutants(lab)} == {"ex2"}
    assert unchanged(lab) == {"ex1": "line 1 is not plain Python (a magic or a shell command?)"}


def test_the_sample_is_bounded_spread_and_the_same_each_time() -> None:
    lines = [f"    x{number} = a[{number}] + b" for number in range(60)]
    source = "\n".join(["def f(a, b):", *lines, "    if a and b:", "        f(a, on=b)", "    return a < b"])
    every, sample = mutants(key(source), None), mutants(key(source))
    assert len(every) > 4 * MOST
    assert len(sample) == MOST
    assert sample == mutants(key(source))
    assert [mutant for mutant in every if mutant in sample] == sample
    kinds = Counter(mutant.name.split(":")[2] for mutant in sample)
    assert {"lt-to-le", "always", "drop-keyword-on", "add-to-sub", "drop-statement"} <= set(kinds), "every family"
    constants = [mutant.line for mutant in sample if "one-" in mutant.name]
    assert min(constants) < 12
    assert max(constants) > 48, "spread over the lines"
    assert mutants(key(source), 10**6) == every
    fewer = mutants(key(source), FEWER)
    assert len(fewer) == FEWER < MOST
    assert [mutant for mutant in sample if mutant in fewer] == fewer, "a part of the usual sample: no new survivors"


def test_every_change_to_a_large_module_parses() -> None:
    source = Path(statistics.__file__).read_text(encoding="utf-8")
    start = source.index("def mean(")
    part = source[start : source.index("def harmonic_mean(")]
    assert len(mutants(key(part), None)) > 20
    for mutant in mutants(key(part), None):
        ast.parse(mutant.source)


def survivors(lab: Key, test: str) -> set[str]:
    """Return the names of the mutants that survive a test."""
    survived = set()
    for mutant in mutants(lab):
        names: dict[str, object] = {}
        try:
            exec(mutant.source + "\n" + test, names)
        except Exception:
            continue
        survived.add(mutant.name)
    return survived


def test_a_hole_in_the_tests_is_shown_and_closed() -> None:
    lab = key("def known(months, now):\n    return sorted(month for month in months if month < now)")
    weak = "assert known([3, 1, 9], 5) == [1, 3]"
    verdict = judge(lab, survivors(lab, weak), [])
    assert not verdict.ok
    assert [mutant.name for mutant in verdict.survivors] == ["ex1:L2:lt-to-le"], "nothing asks for the border"
    assert judge(lab, survivors(lab, weak + "\nassert known([5], 5) == []"), []).ok


def test_exemptions_excuse_and_cry_when_they_no_longer_hold() -> None:
    lab = key("def f(a):\n    return float(a)")
    float_goes = Exemption("ex1", "return float(a)", "return a", "a is a float")
    verdict = judge(lab, {"ex1:L2:drop-float"}, [float_goes])
    assert verdict.ok
    assert [(mutant.name, reason) for mutant, reason in verdict.excused] == [("ex1:L2:drop-float", "a is a float")]
    assert [mutant.name for mutant in verdict.caught] == ["ex1:L2:return-none"]
    caught_now = judge(lab, set(), [float_goes])
    assert not caught_now.ok
    assert "the tests catch this mutant" in caught_now.faults[0]
    gone = judge(lab, set(), [Exemption("ex1", "return int(a)", "return a", "an old line")])
    assert not gone.ok
    assert "there is no such mutant" in gone.faults[0]
    elsewhere = judge(lab, {"ex1:L2:drop-float"}, [Exemption("ex2", "return float(a)", "return a", "another cell")])
    assert [mutant.name for mutant in elsewhere.survivors] == ["ex1:L2:drop-float"]


def test_an_exemption_holds_wherever_its_line_moves() -> None:
    moved = key("def f(a):\n    b = a\n\n    return float(a)")
    exemption = Exemption("ex1", "return float(a)", "return a", "a is a float")
    assert judge(moved, {"ex1:L4:drop-float"}, [exemption]).ok


def test_an_exemption_outside_the_sample_is_no_fault() -> None:
    lab = key("def f(a):\n    return float(a)")
    (left_out,) = set(mutants(lab, None)) - set(mutants(lab, 1))
    exemption = Exemption("ex1", left_out.was, left_out.becomes, "not tried")
    assert judge(lab, set(), [exemption], most=1).ok
    assert not judge(lab, set(), [exemption], most=None).ok


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_course(tmp_path)


ENTRY = "ex1:\n- was: return x\n  becomes: return y\n  reason: the same\n"


def test_exemptions_are_read(root: Path) -> None:
    assert load_exemptions(LAB, root) == []
    write(root, f"solutions/{LAB}/mutants.yml", ENTRY)
    assert load_exemptions(LAB, root) == [Exemption("ex1", "return x", "return y", "the same")]


@pytest.mark.parametrize(("text", "says"), [
    ("ex1: [", "is not YAML"),
    ("- was: x", "write `exN:`"),
    ("", "write `exN:`"),
    (ENTRY.replace("ex1", "ex7"), "'ex7', but 01-mini has ex1, ex2"),
    (ENTRY.replace("the same", '" "'), "ex1: entry 1 must have the texts"),
    (ENTRY.replace("  reason: the same\n", ""), "ex1: entry 1 must have the texts"),
    (ENTRY.replace("return x", "1"), "ex1: entry 1 must have the texts"),
    (ENTRY + ENTRY.partition("\n")[2], "ex1: entry 2 is there twice"),
])  # fmt: skip
def test_a_broken_list_of_exemptions_is_refused(root: Path, text: str, says: str) -> None:
    write(root, f"solutions/{LAB}/mutants.yml", text)
    with pytest.raises(BuildError, match=says):
        load_exemptions(LAB, root)


RIGHT = "# ---\n# answers: ex1\n# why: pi by hand\n# ---\ndef area(r):\n    return 3.141592653589793 * r * r\n"


def test_alternatives_are_read(root: Path) -> None:
    assert load_alternatives(LAB, root) == []
    write(root, f"solutions/{LAB}/alternatives/ex1-by-hand.py", RIGHT)
    (one,) = load_alternatives(LAB, root)
    assert (one.name, one.answers, one.why) == ("ex1-by-hand", "ex1", "pi by hand")
    assert one.source == "def area(r):\n    return 3.141592653589793 * r * r"


@pytest.mark.parametrize(("name", "text", "says"), [
    ("ex1-a", RIGHT.replace("# why: pi by hand\n", ""), "start with `# ---`"),
    ("ex1-a", RIGHT.partition("def")[0], "start with `# ---`"),
    ("ex1-a", RIGHT.replace("answers: ex1", "answers: [ex1"), "not YAML"),
    ("ex7-a", RIGHT.replace("ex1", "ex7"), "answers 'ex7', but 01-mini has ex1, ex2"),
    ("ex2-a", RIGHT, "its name must start with ex1-"),
])  # fmt: skip
def test_a_broken_alternative_is_refused(root: Path, name: str, text: str, says: str) -> None:
    write(root, f"solutions/{LAB}/alternatives/{name}.py", text)
    with pytest.raises(BuildError, match=says):
        load_alternatives(LAB, root)


def test_the_answers_of_a_lab_are_mutated(root: Path) -> None:
    lab = key_from_source(source_notebook(LAB, root), lab=LAB)
    assert "return math.pi * radius**2" in LAB_SOURCE
    assert {"return math.pi / radius**2", "return math.pi * radius*2", "return math.pi * radius**3"} <= {
        mutant.becomes for mutant in mutants(lab) if mutant.answers == "ex1"
    }
    assert {mutant.answers for mutant in mutants(lab)} == {"ex1", "ex2"}


@pytest.mark.parametrize("name", LABS)
def test_the_labs_exemptions_fit_their_answers(name: str) -> None:
    lab = key_from_source(source_notebook(name, ROOT), lab=name)
    exemptions = load_exemptions(name, ROOT)
    excused = {(one.answers, one.was, one.becomes) for one in exemptions}
    survived = {mutant.name for mutant in mutants(lab, None) if (mutant.answers, mutant.was, mutant.becomes) in excused}
    assert judge(lab, survived, exemptions, None).faults == ()
    assert unchanged(lab) == {}


@pytest.mark.parametrize("name", LABS)
def test_each_lab_has_alternatives(name: str) -> None:
    assert len(load_alternatives(name, ROOT)) >= FEWEST_ALTERNATIVES
