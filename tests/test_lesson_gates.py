"""The gates that every lesson passes, each shown failing on a planted fault; the list of excuses only shrinks."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from authoring.build import build
from authoring.lesson.gates import GATES, lesson_faults, run_faults, text_faults
from authoring.lesson.printed import printed_faults
from authoring.lesson.size import Size, size_of
from authoring.lesson.text import read_cells
from authoring.lesson.typed import Typed
from authoring.repository import ROOT
from authoring.syllabus import load_syllabus
from base.errors import BuildError
from course.execute import Failure, execute
from tests.mini_course import EXCUSED, LAB_TEXT, LESSON, LESSON_TEXT, NOTEBOOK, SYLLABUS, make_course, write

FENCE = """# ```python
# ## no heading
# import math
#
# answer = math.sqrt(9)
# ```
"""
TURN = f"""# %% [markdown]
# ## Your turn
#
# Put the root of 9 into `answer`.

# %%
answer = None  # your code here

# %%
print("right" if answer == 3 else "not yet: `math` has it")

# %% [markdown]
# <details><summary>A solution</summary>
#
{FENCE}# </details>
#
"""
TEXT = LESSON_TEXT.replace("# %% [markdown]\n# ## What this", f"{TURN}# ## What this").replace("2 minutes", "3 minutes")
OUTCOMES = [
    {"can": "count", "by": ["One?"]},
    {"can": "count further", "by": ["Your turn", "Two?"]},
    {"can": "stop counting", "by": ["01-mini:ex2"]},
]
MANY = "total = 1 + 1\n\n# %%\n" * 15


def gated(root: Path, before: str = "", after: str = "", **row: Any) -> Path:
    """Write a mini course whose lesson passes all gates, but for what is put in; returns its root."""
    make_course(root)
    (root / EXCUSED).unlink()
    assert before in TEXT
    write(root, LESSON, TEXT.replace(before, after, 1))
    data: Any = deepcopy(SYLLABUS)
    data["chapters"][0]["lessons"][0] |= {"outcomes": OUTCOMES, "typed": {"Python": ["math.sqrt"]}} | row
    write(root, "course/syllabus.yml", yaml.safe_dump(data, sort_keys=False))
    return root


def faults(root: Path) -> list[str]:
    return text_faults(root, load_syllabus(root))


def a_fault(root: Path, line: str, says: str) -> None:
    """Check that there is a fault, and one that follows at most, on the line of the lesson that starts so."""
    found = faults(root)
    assert 1 <= len(found) <= 2, found
    source, number, message = found[0].split(":", 2)
    assert source == LESSON
    assert says in message
    assert (root / LESSON).read_text(encoding="utf-8").splitlines()[int(number) - 1].startswith(line)


def test_a_good_lesson_has_no_fault(tmp_path: Path) -> None:
    root = gated(tmp_path)
    assert faults(root) == []
    build(root=root)
    assert build(check=True, root=root) == []


@pytest.mark.parametrize(("before", "after", "line", "says"), [
    ("# One and one:", "# " + "word " * 1500, "", "words, at most 1,500: make two lessons of it"),
    ("total = 1 + 1\n", "total = 1 + 1\n" * 100, "", "lines of code, at most 100"),
    ("total = 1 + 1\n", MANY, "", "19 code cells, at most 16"),
])  # fmt: skip
def test_a_lesson_that_is_too_large_is_found(tmp_path: Path, before: str, after: str, line: str, says: str) -> None:
    root = gated(tmp_path, before, after)
    minutes = round(size_of(read_cells(root / LESSON, LESSON)).minutes)
    write(root, LESSON, (root / LESSON).read_text(encoding="utf-8").replace("3 minutes", f"{minutes} minutes"))
    a_fault(root, line, says)


def test_minutes_are_reckoned_from_words_lines_and_cells() -> None:
    size = Size(words=1500, lines=96, cells=15)
    assert size.minutes == 10 + 12 + 5
    assert [stated for stated in range(60) if size.agrees(stated)] == [25, 26, 27, 28, 29]
    assert Size(1500, 100, 16).excess() == []
    assert Size(1500, 160, 16).excess() == ["160 lines of code, at most 100", "35 minutes, at most 30"]


def test_what_can_be_skipped_is_not_counted(tmp_path: Path) -> None:
    """A fold is not, unless it answers a question; neither are comments in code. Commands are code."""
    fold = "# <details><summary>More</summary>\n# one two\n# </details>\n#\n"
    text = f"# %% [markdown]\n# one two\n#\n{fold}# ## Check yourself\n#\n{fold}\n# %%\n# three\nx = 1\n\n"
    text += '# %% language="shell"\n# docker ps\n'
    assert size_of(read_cells(write(tmp_path, "a.py", text), "a.py")) == Size(words=2 + 3 + 4, lines=2, cells=2)


@pytest.mark.parametrize(("before", "after", "line", "says"), [
    ("3 minutes", "9 minutes", "# ## Time", "says 9 minutes to read, and "),
    ("total = 1 + 1\n", f"total = {' ' * 80}1\n", "total", "89 characters of code, at most 88"),
    ("# answer = math", f"# answer = {' ' * 70}math", "# answer", "91 characters of code, at most 88"),
    ("# ## Your turn", "# ## My turn", "# # 01", "there must be one section `## Your turn`"),
    ("# ## Your turn\n", "# ## Your turn\n#\n# ## Mine\n", "# ## Your turn", "must be the next heading"),
    ("  # your code here", "", "# ## Your turn", "one cell below it holds `# your code here`"),
    ("# your code here\n", "# your code here\n\n# %% [markdown]\n# So:\n", "answer", "one code cell that checks it"),
    ("A solution", "An answer", "# <details>", "starts with `<details><summary>A solution"),
    (FENCE, "# By hand.\n", "# <details>", "the folded solution holds its code"),
    ("# ## Take-away", "# %%\n1\n\n# %% [markdown]\n# ## Take-away", "# <details>", "no code cell follows"),
    ('"right"', '"yes"', "print", 'a text that starts with "right"'),
    ('"not yet: ', '"no: ', "print", 'a text that starts with "not yet"'),
    ("<summary>One?", "<summary>1?", "# - count", "the lesson has no question 'One?'"),
])  # fmt: skip
def test_a_lesson_that_breaks_a_gate_is_found(tmp_path: Path, before: str, after: str, line: str, says: str) -> None:
    a_fault(gated(tmp_path, before, after), line, says)


def test_an_outcome_in_other_words_than_the_syllabus_is_found_on_both_sides(tmp_path: Path) -> None:
    found = faults(gated(tmp_path, "# - count\n", "# - count on\n"))
    assert len(found) == 2, found
    assert "the syllabus has no outcome 'count on'" in found[0]
    assert "does not state 'count', as the syllabus does" in found[1]


@pytest.mark.parametrize(("outcome", "by", "says"), [
    (0, ["Three?"], "'count': the lesson has no question 'Three?'"),
    (1, ["01-mini:ex7"], "'count further': 01-mini has no ex7"),
    (2, ["02-far:ex1"], "'stop counting': 02-far is no written lab that measures this lesson"),
])  # fmt: skip
def test_an_outcome_that_nothing_measures_is_found(tmp_path: Path, outcome: int, by: list[str], says: str) -> None:
    outcomes = deepcopy(OUTCOMES)
    outcomes[outcome]["by"] = by
    a_fault(gated(tmp_path, outcomes=outcomes), "# - ", says)


def test_outcomes_that_the_syllabus_does_not_have_are_found(tmp_path: Path) -> None:
    found = faults(gated(tmp_path, "# - count further", "# * count further", outcomes=[]))
    assert [fault.partition("no outcome ")[2].split(":")[0] for fault in found] == [
        "'count'",
        "'count further'",
        "'stop counting'",
    ]


def test_an_outcome_whose_exercise_leaves_the_lab_is_found(tmp_path: Path) -> None:
    root = gated(tmp_path)
    lab = root / LAB_TEXT
    lab.write_text(lab.read_text(encoding="utf-8").replace('answer="ex2"', 'answer="ex3"'), encoding="utf-8")
    a_fault(root, "# - stop", "01-mini has no ex2")


@pytest.mark.parametrize(("typed", "says"), [
    ({}, "Python: name in the syllabus, under `typed`, what a learner types of it"),
    ({"Python": ["math.cbrt"]}, "Python: `math.cbrt` stands in no code cell"),
    ({"Python": ["oakbank.world.World"]}, "Python: `oakbank.world.World` is ours"),
])  # fmt: skip
def test_a_system_that_nobody_types_is_found(tmp_path: Path, typed: dict[str, list[str]], says: str) -> None:
    a_fault(gated(tmp_path, typed=typed), "", says)


def test_a_lab_that_measures_the_lesson_may_type_the_system(tmp_path: Path) -> None:
    root = gated(tmp_path, typed={"Python": ["math.sqrt", "math.pi"]})
    assert faults(root) == []
    lab = root / LAB_TEXT
    lab.write_text(lab.read_text(encoding="utf-8").replace("math.pi", "3.14"), encoding="utf-8")
    a_fault(root, "", "Python: `math.pi` stands in no code cell")


@pytest.mark.parametrize(("text", "holds"), [
    ("# %%\nimport numpy as np\n\nnp.random.rand()", "numpy.random.rand"),
    ("# %%\nfrom pathlib import Path as P\n\nhere = P('a')\nhere.exists()", "pathlib.Path.exists"),
    ("# %%\nimport json\n\nrun(['docker', 'run', json.dumps(1)])", "docker run"),
    ("# %%\n# !docker run -p 80:80 image", "docker run"),
    ("# %%\n# %%writefile -a job.py\nimport numpy as np\n\nnp.zeros(2)", "numpy.zeros"),
    ('# %% language="bash"\n# docker build . && true', "docker build"),
    ('# %% language="writefile a/Jenkinsfile"\n# pipeline {\n#     agent any\n# }', "agent any"),
    ("# %% [markdown]\n# ```python\n# import numpy as np\n#\n# np.ones(2)\n# ```", "numpy.ones"),
])  # fmt: skip
def test_what_counts_as_typed(tmp_path: Path, text: str, holds: str) -> None:
    typed = Typed()
    typed.read(read_cells(write(tmp_path, "a.py", text + "\n"), "a.py"), "a.py")
    assert typed.holds(holds)


@pytest.mark.parametrize("text", [
    "# %%\nprint('docker run')  # docker run\ndocker('run')",
    "# %% [markdown]\n# So you type `docker run`, as in\n#\n# ```\n# docker run\n# ```",
    "# %%\nfrom oakbank.intro import docker\n\ndocker.run()",
    "# %%\n# %%writefile a.py\nrun = 'docker run'",
    "# %%\n# %%writefile notes.txt\nimport docker\n\ndocker.run()",
])  # fmt: skip
def test_what_does_not_count_as_typed(tmp_path: Path, text: str) -> None:
    typed = Typed()
    typed.read(read_cells(write(tmp_path, "a.py", text + "\n"), "a.py"), "a.py")
    assert not typed.holds("docker run")
    assert not typed.holds("docker.run")


def test_code_that_is_not_python_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=rf"{LESSON}:29: no Python"):
        faults(gated(tmp_path, "total = 1 + 1\ntotal\n", "total = 1 + 1\ntotal = = 1\n"))


def test_a_cell_in_a_string_of_python_is_no_cell(tmp_path: Path) -> None:
    text = "# %%\nx = '''\n# %%\ny\n'''\n\n# %% [markdown]\n#\n# Prose.\n"
    cells = read_cells(write(tmp_path, "a.py", text), "a.py")
    assert [(cell.code, cell.line) for cell in cells] == [(True, 2), (False, 8)]


def test_a_wide_line_of_a_lab_is_found(tmp_path: Path) -> None:
    root = gated(tmp_path)
    lab = root / LAB_TEXT
    lab.write_text(lab.read_text(encoding="utf-8").replace("radius**2", f"radius{' ' * 80}**2"), encoding="utf-8")
    assert [fault.split(": ")[1][:24] for fault in faults(root)] == ["110 characters of code, "]


# The excuses


@pytest.mark.parametrize("gate", GATES)
def test_an_excuse_covers_its_gate_as_long_as_it_is_needed(tmp_path: Path, gate: str) -> None:
    planted = {
        "size": ("# One and one:", "# " + "word " * 1500),
        "minutes": ("3 minutes", "9 minutes"),
        "width": ("total = 1 + 1\n", f"total = {' ' * 80}1\n"),
        "turn": ('"right"', '"yes"'),
        "outcomes": ("<summary>One?", "<summary>1?"),
        "typed": ("math.sqrt(9)", "9**0.5"),
    }
    excuse = f"{{{gate}: [01/01]}}"
    root = gated(tmp_path / "bad", *planted[gate])
    without = len(faults(root))
    write(root, EXCUSED, excuse)
    assert len(faults(root)) == without - 1
    root = gated(tmp_path / "good")
    write(root, EXCUSED, excuse)
    a_fault(root, "", f"passes the gate `{gate}`: take 01/01 off that list in {EXCUSED}")


@pytest.mark.parametrize("text", ["{sise: [01/01]}", "{size: [01/07]}", "{width: [01-maxi]}"])
def test_an_excuse_for_nobody_is_refused(tmp_path: Path, text: str) -> None:
    root = gated(tmp_path)
    write(root, EXCUSED, text)
    with pytest.raises(BuildError, match="there is no gate, lesson or lab"):
        faults(root)


def test_the_pattern_is_excused_from_nothing() -> None:
    assert "02/05" not in (ROOT / EXCUSED).read_text(encoding="utf-8")


# What needs a run


def run(root: Path) -> Failure | None:
    build(root=root)
    output = root / "build" / "run" / "01-intro" / "01-first.ipynb"
    seen = list[int]()
    failure = execute(root / NOTEBOOK, output, root / "scratch", seen.append).failure
    assert seen[:8] == list(range(1, 9))
    assert sorted(path.name for path in output.parent.iterdir()) == [output.name]
    return failure


def test_a_turn_is_proven_by_a_run_and_leaves_nothing_behind(tmp_path: Path) -> None:
    root = gated(tmp_path)
    assert run(root) is None
    assert lesson_faults(root / LESSON, root, load_syllabus(root)) == []


@pytest.mark.parametrize(("before", "after", "cell", "says"), [
    ("math.sqrt(9)", "math.sqrt(8)", 7, "with the folded solution the check must print \"right\" and printed 'not yet"),
    ("math.sqrt(9)", "math.sqrt(nine)", 6, "NameError: name 'nine' is not defined"),
    ("answer == 3", "answer != 7", 7, "with the empty answer the check must print \"not yet: …\" and printed 'right'"),
])  # fmt: skip
def test_a_turn_that_is_not_so_fails_the_run(tmp_path: Path, before: str, after: str, cell: int, says: str) -> None:
    failure = run(gated(tmp_path, before, after))
    assert failure is not None
    assert failure.cell == cell
    assert says in failure.error


@pytest.mark.parametrize(("code", "prints", "says", "found"), [
    ("total = 4711 * 2", "9422", "9,422", "9,422"),
    ("total = 2 / 3", "0.6666", "0.67", "0.67"),
    ("total = 2 / 3", "0.6666", "67 %", "67 %"),
    ("total = 2 / 3\nassert round(total, 2) == 0.67", "0.6666", "0.67", None),
    ("total = 2 / 3\nassert round(total, 2) == 0.67", "0.6666", "67 %", None),
    ("total = 9422", "9422", "9422", None),
    ("total = 4711 * 2", "", "9422", None),
    ("total = 2 / 3", "0.6666", "0.7 of lesson 01/67, version 0.67.1", "0.7"),
    ("total = 2 / 3", "0.6666 of 7", "1, 7", "7"),
])  # fmt: skip
def test_a_printed_number_that_no_code_holds_is_found(
    tmp_path: Path, code: str, prints: str, says: str, found: str | None
) -> None:
    text = f"# %%\n{code}\n\n# %% [markdown]\n# First,\n# it is {says}.\n"
    cells = read_cells(write(tmp_path, "a.py", text), "a.py")
    outputs = [{"output_type": "stream", "name": "stdout", "text": [prints]}]
    faulty = printed_faults(cells, [{"outputs": outputs}, {}])
    assert [fault.says.split(", as")[0] for fault in faulty] == ([f"says {found}"] if found else [])
    assert all(text.splitlines()[fault.line - 1].startswith("# it is") for fault in faulty)


def test_what_a_recorded_cell_prints_is_held_by_its_recording(tmp_path: Path) -> None:
    cells = read_cells(write(tmp_path, "a.py", "# %%\ncode = run()\n\n# %% [markdown]\n# It is 137.\n"), "a.py")
    shown = {"outputs": [{"output_type": "stream", "name": "stdout", "text": ["137"]}]}
    assert len(printed_faults(cells, [shown | {"source": ["%%bash\n", "run"], "metadata": {}}, {}])) == 1
    assert printed_faults(cells, [shown | {"source": ["%%shell\n", "run"]}, {}]) == []
    assert printed_faults(cells, [shown | {"metadata": {"recorded": True}}, {}]) == []


def test_prose_is_compared_with_the_last_run(tmp_path: Path) -> None:
    root = gated(tmp_path, "total = 1 + 1\ntotal\n", "total = 4711 * 2\ntotal\n\n# %% [markdown]\n# It is 9422.\n")
    assert run_faults(root, load_syllabus(root)) == [
        f"{LESSON}:1: not run as it is now: python3 bootstrap.py run 01/01"
    ]
    build(root=root)
    execute(root / NOTEBOOK, root / "build/run/01-intro/01-first.ipynb", root / "scratch", lambda _: None)
    assert [fault.split(", as")[0] for fault in run_faults(root, load_syllabus(root))] == [f"{LESSON}:32: says 9422"]
    write(root, EXCUSED, "{printed: [01/01]}")
    assert run_faults(root, load_syllabus(root)) == []
    write(root, LESSON, (root / LESSON).read_text(encoding="utf-8").replace("It is 9422", "It is so"))
    assert "not run as it is now" in run_faults(root, load_syllabus(root))[0]
