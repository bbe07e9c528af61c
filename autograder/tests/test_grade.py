"""Grading one submission: each cell's fault costs that cell, nothing is lost, nothing is given away."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.examiner import grader as grade
from autograder.examiner.box import MANY
from autograder.examiner.clock import FAR
from autograder.examiner.grader import Grader
from autograder.examiner.handles import Limits
from autograder.examiner.session import Session
from autograder.lab.key import key_from_source
from autograder.model import Key, Mark, Submission
from autograder.sandbox.confine import why_not
from base.errors import UserError

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")

CELLS = [
    ("setup", "locked", "RATE = 3\n\n\nclass Box:\n    def __init__(self, size):\n        self.size = size"),
    ("ex1", "answer", "def base(x):\n    ### BEGIN SOLUTION\n    return RATE * x\n    ### END SOLUTION"),
    ("ex1-test", "test", "assert base(0) == 0, 'nothing'\n### BEGIN HIDDEN TESTS\nassert base(2) == 6, 'three"
     " times'\nassert base(5) == 15\n### END HIDDEN TESTS"),
    ("ex2", "answer", "def twice(x):\n    ### BEGIN SOLUTION\n    return 2 * base(x)\n    ### END SOLUTION"),
    ("helpers", "locked", "def whole(x):\n    return twice(x) + 1"),
    ("ex2-test", "test", "assert twice(1) == 6, 'twice the base'\nassert whole(1) == 7"),
    ("ex3", "answer", "def grow(box):\n    ### BEGIN SOLUTION\n    box.size += 1\n    ### END SOLUTION"),
    ("ex3-test", "test", "box = Box(4)\ngrow(box)\nassert box.size == 5, 'one more'"),
    ("ex4", "answer", "def guess():\n    ### BEGIN SOLUTION\n    return 10.0\n    ### END SOLUTION"),
    ("ex4-test", "test", "error = abs(guess() - 10)\nmax(0.0, 4 - error) if error == error else error"),
]  # fmt: skip
POINTS = {"ex1-test": 2.0, "ex2-test": 3.0, "ex3-test": 1.0, "ex4-test": 4.0}


def notebook(answers: dict[str, str] | None = None) -> Any:
    cells = []
    for name, kind, source in CELLS:
        marks = {"grade_id": name, "schema_version": 3, "locked": kind != "answer", "solution": kind == "answer",
                 "grade": kind == "test", "task": False, "cell_type": "code"}  # fmt: skip
        marks |= {"points": POINTS[name]} if kind == "test" else {}
        source = (answers or {}).get(name, source)
        cells.append(nbformat.v4.new_code_cell(source, id=name, metadata={"nbgrader": marks}))
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )


def submission(answers: dict[str, str] | None = None, **extra: str) -> Submission:
    made = notebook(answers)
    for before, source in extra.items():
        at = next(at for at, cell in enumerate(made.cells) if cell.id == before)
        made.cells.insert(at, nbformat.v4.new_code_cell(source))
    return Submission("ann", nbformat.writes(made).encode())


@pytest.fixture(scope="module")
def key() -> Key:
    return key_from_source(notebook(), lab="01-lab")


@pytest.fixture(scope="module")
def grader(key: Key) -> Iterator[Grader]:
    with Grader(key) as made:
        yield made


@pytest.fixture(scope="module")
def hasty(key: Key) -> Iterator[Grader]:
    """Ends a cell that never would; long enough for honest cells on a busy machine."""
    with Grader(key, Limits(cell_seconds=4, total_seconds=60)) as made:
        yield made


def marks(grader: Grader, *args: Any, **extra: str) -> dict[str, Mark]:
    return {mark.test: mark for mark in grader.grade(submission(*args, **extra)).marks}


def scores(grader: Grader, *args: Any, **extra: str) -> list[float | None]:
    return [mark.score for mark in marks(grader, *args, **extra).values()]


def test_the_reference_answers_get_all(grader: Grader) -> None:
    assert scores(grader) == [2, 3, 1, 4]


def test_graded_twice_it_is_the_same(grader: Grader) -> None:
    text = "import random, os\nprint(random.random(), {'a', 'b', 'c'})\ndef guess():\n    return 9 + random.random()"
    first, second = (grader.grade(submission({"ex4": text})) for _ in range(2))
    assert first.to_json() == second.to_json()
    assert 3 < first.score - 6 < 4


def test_a_stub_gets_nothing_where_it_does_nothing(grader: Grader, key: Key) -> None:
    found = marks(grader, dict(key.stubs))
    assert [mark.score for mark in found.values()] == [0, 0, 0, 0]
    assert found["ex3-test"].reason == "the test cannot go on: what it calls is not written yet (NotImplementedError)"


def test_one_mistake_costs_once(grader: Grader) -> None:
    found = marks(grader, {"ex1": "def base(x):\n    return 4 * x"})
    assert [mark.score for mark in found.values()] == [0, 3, 1, 4]
    assert found["ex1-test"].reason == "three times"
    assert (found["ex2-test"].rescued, found["ex2-test"].reason) == (("ex1",), "")
    assert found["ex3-test"].rescued == ()


def test_what_builds_on_the_same_mistakes_is_graded_again_together(
    grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = list[set[str]]()
    begin = Session.__init__

    def noting(self: Session, box: Any, cells: Any, wanted: set[str], *rest: Any) -> None:
        boxes.append(wanted)
        begin(self, box, cells, wanted, *rest)

    monkeypatch.setattr(Session, "__init__", noting)
    wrong = "def base(x):\n    return 4 * x"
    uses = "def guess():\n    return 10.0 if base(1) == 3 else 5.0"
    found = marks(grader, {"ex1": wrong, "ex4": uses})
    assert [mark.score for mark in found.values()] == [0, 3, 1, 4]
    assert found["ex2-test"].rescued == found["ex4-test"].rescued == ("ex1",)
    assert boxes == [set(POINTS), {"ex2-test", "ex4-test"}]


def test_many_boxes_are_graded_alike(key: Key) -> None:
    with Grader(key) as made:
        assert {made.grade(submission()).score for _ in range(MANY + 2)} == {10.0}


def test_a_mistake_of_its_own_costs_beside_an_earlier_one(grader: Grader) -> None:
    wrong = {"ex1": "def base(x):\n    return 4 * x", "ex2": "def twice(x):\n    return 3 * base(x)"}
    assert scores(grader, wrong) == [0, 0, 1, 4]


def test_without_rescue_a_mistake_costs_twice(grader: Grader) -> None:
    result = grader.grade(submission({"ex1": "def base(x):\n    return 4 * x"}), rescue=False)
    assert [mark.score for mark in result.marks] == [0, 0, 1, 4]


@pytest.mark.parametrize(("source", "says"), [
    ("while True:\n    pass", "still running after 4 s: is there a loop that never ends?"),
    ("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass", "still running after 4 s"),
    ("import os\nos._exit(0)", "Python itself ended here: exit() or os._exit()"),
    ("import ctypes\nctypes.string_at(0)", "Python crashed here (signal 11)"),
    ("def twice(x):\n    import os\n    os._exit(3)", "Python itself ended here"),
    ("def twice(x):\n    while True:\n        pass", "still running after 4 s"),
    ("def twice(x):\n    x = []\n    x.append(x)\n    while True:\n        x = [x]", ""),
    ("1 / 0", "in the answer's cell: ZeroDivisionError: division by zero"),
    ("exit()", "in the answer's cell: SystemExit"),
    ("def twice(x)\n    return x", "in the answer's cell: SyntaxError: expected ':' (line 1)"),
    ("x = bytearray(9 << 30)", "in the answer's cell: MemoryError"),
])  # fmt: skip
def test_a_cell_that_breaks_costs_itself_alone(hasty: Grader, source: str, says: str) -> None:
    found = marks(hasty, {"ex2": source})
    assert [mark.score for mark in found.values()] == [2, 0, 1, 4]
    assert says in found["ex2-test"].reason


def test_a_cell_before_that_breaks_is_not_run_again(grader: Grader) -> None:
    """The one that ended Python is left out when the others are run again, and what they made is there."""
    found = marks(grader, ex2="HOLD = 1\nimport os\nos._exit(1)", ex3="KEPT = HOLD if 'HOLD' in dir() else 2")
    assert [mark.score for mark in found.values()] == [2, 3, 1, 4]


def test_an_assertion_without_a_message_names_no_hidden_line(grader: Grader) -> None:
    found = marks(grader, {"ex1": "def base(x):\n    return 6 if x else 0"})
    assert found["ex1-test"].reason == "a hidden test does not hold"


def test_the_instructors_functions_are_used_in_tests(grader: Grader) -> None:
    found = marks(grader, ex3="def whole(x):\n    return 0")
    assert found["ex2-test"].score == 3, "the instructor's `whole` is used, not the student's"


def test_a_warning_costs_nothing(grader: Grader) -> None:
    text = "import sys, warnings\nwarnings.warn('hm')\nprint('x', file=sys.stderr)\ndef base(x):\n    return 3 * x"
    assert scores(grader, {"ex1": text}) == [2, 3, 1, 4]


@pytest.mark.parametrize(("answer", "score", "reason"), [
    ("8.5", 2.5, "partly right"),
    ("99", 0, "partly right"),
    ("float('nan')", 0, "the test ends with nan, which is no number of points: ask your instructor"),
    ("float('-inf')", 0, "partly right"),
    ("'ten'", 0, "TypeError"),
])  # fmt: skip
def test_partial_credit_is_read_strictly(grader: Grader, answer: str, score: float, reason: str) -> None:
    found = marks(grader, {"ex4": f"def guess():\n    return {answer}"})["ex4-test"]
    assert found.score == score
    assert reason in found.reason


def test_what_is_no_notebook_is_graded_as_nothing(grader: Grader) -> None:
    result = grader.grade(Submission("ann", b"{"))
    assert result.score == 0
    assert result.fault
    assert all(mark.reason == result.fault for mark in result.marks)


def test_only_some_tests_are_marked(grader: Grader) -> None:
    result = grader.grade(submission(), only={"ex2-test"})
    assert [mark.score for mark in result.marks] == [None, 3, None, None]


def test_the_time_for_all_is_limited(key: Key) -> None:
    begin = time.monotonic()
    with Grader(key, Limits(cell_seconds=2, total_seconds=3)) as grader:
        slow = dict.fromkeys(("ex1", "ex2", "ex3", "ex4"), "while True:\n    pass")
        assert grader.grade(submission(slow)).score == 0
    assert time.monotonic() - begin < 25 * FAR  # on a machine so busy that its clock stands still


def test_a_lab_whose_own_cells_fail_is_refused() -> None:
    broken = notebook({"setup": "import nothing_of_that_name_here"})
    with pytest.raises(UserError, match="nothing_of_that_name_here"):
        Grader(key_from_source(broken, lab="01-lab"))
    broken = notebook({"setup": "RATE = 3\n1 / 0"})
    with pytest.raises(UserError, match="the lab's own first cells fail: ZeroDivisionError"):
        Grader(key_from_source(broken, lab="01-lab"))


def test_without_a_sandbox_it_refuses_and_says_what_is_lost(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grade, "sandbox_missing", lambda: "this machine has no namespaces")
    with pytest.raises(UserError, match=r"no namespaces\. Without a sandbox a submission can read your files") as error:
        Grader(key)
    assert "--no-sandbox" in str(error.value)
    with Grader(key, sandbox=False) as grader:
        assert scores(grader) == [2, 3, 1, 4]
        assert scores(grader, {"ex2": "import os\nos._exit(0)"}) == [2, 0, 1, 4]


def test_a_setup_that_starts_threads_is_run_in_each_kernel(key: Key) -> None:
    sleeps = "\nimport threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    threaded = notebook({"setup": CELLS[0][2] + sleeps})
    with Grader(key_from_source(threaded, lab="01-lab")) as grader:
        assert grader.setup == []
        assert [mark.score for mark in grader.grade(submission()).marks] == [2, 3, 1, 4]


def test_files_of_the_lab_are_there_and_nothing_else(key: Key, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("hidden")
    text = (
        "import os, pathlib\nFOUND = sorted(os.listdir())\n"
        f"SECRET = pathlib.Path({str(tmp_path / 'secret.txt')!r}).exists()\n"
        "def guess():\n    return 10 if FOUND == ['data.csv'] and not SECRET and os.getuid() == 65534 else 0"
    )
    made = Key(key.lab, key.cells, key.stubs, {"data.csv": b"a,b\n1,2\n"})
    with Grader(made) as grader:
        assert scores(grader, {"ex4": text})[3] == 4


def test_nothing_is_left_after_it(grader: Grader) -> None:
    import psutil

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    grader.grade(
        submission({"ex2": "import subprocess\nsubprocess.Popen(['sleep', '1000'])\ndef twice(x):\n    return 6"})
    )
    until = time.monotonic() + 10
    while time.monotonic() < until:
        after = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
        if not after:
            break
        time.sleep(0.1)
    assert after == []


def test_open_files_do_not_grow(grader: Grader) -> None:
    grader.grade(submission())
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        grader.grade(submission({"ex2": "import os\nos._exit(0)"}))
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_a_plot_is_kept_as_a_picture(grader: Grader) -> None:
    result = grader.grade(submission(ex2="import matplotlib.pyplot as plt\nplt.plot([1, 2])"))
    outputs = [output for cell in result.cells for output in cell.outputs]
    assert "png" in [output.kind for output in outputs], outputs
    assert json.dumps(result.to_json())
