"""What surrounds a student's code: shell, magics, threads, variables, time. Habits cost nothing, nothing leaks."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.examiner.clock import FAR, Clock
from autograder.examiner.grader import Grader
from autograder.examiner.handles import Limits
from autograder.lab.key import key_from_source
from autograder.model import Key, Mark, Result, Submission
from autograder.sandbox.confine import why_not
from base.errors import UserError
from kernels.parent import students_environment

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")

CELLS = [
    ("setup", "locked", "import pandas as pd\n\nTABLE = pd.DataFrame({'a': [1, 2]})"),
    ("ex1", "answer", "def label(score):\n    ### BEGIN SOLUTION\n    fine = 0.531742  # its own\n"
     "    return 'good' if score >= fine else 'bad'\n    ### END SOLUTION"),
    ("ex1-test", "test", "LIMIT = 3\nassert label(0.9) == 'good', '0.9 is good'\n### BEGIN HIDDEN TESTS\n"
     "assert label(0.1) == 'bad', '0.1 is bad'\n### END HIDDEN TESTS"),
    ("ex2", "answer", "def labels(scores):\n    ### BEGIN SOLUTION\n    return [label(one) for one in scores]\n"
     "    ### END SOLUTION"),
    ("ex2-test", "test", "assert labels([0.9, 0.1]) == ['good', 'bad'], 'one label a score'"),
    ("ex3", "answer", "def points():\n    ### BEGIN SOLUTION\n    return 4.0\n    ### END SOLUTION"),
    ("ex3-test", "test", "float(points())"),
]  # fmt: skip
POINTS = {"ex1-test": 2.0, "ex2-test": 2.0, "ex3-test": 4.0}
LABEL = "\ndef label(score):\n    return 'good' if score >= 0.5 else 'bad'"


def notebook(answers: dict[str, str], before: dict[str, str]) -> Any:
    cells = []
    for name, kind, source in CELLS:
        if name in before:
            cells.append(nbformat.v4.new_code_cell(before[name]))
        marks = {"grade_id": name, "schema_version": 3, "locked": kind != "answer", "solution": kind == "answer",
                 "grade": kind == "test", "task": False, "cell_type": "code"}  # fmt: skip
        marks |= {"points": POINTS[name]} if kind == "test" else {}
        cells.append(nbformat.v4.new_code_cell(answers.get(name, source), id=name, metadata={"nbgrader": marks}))
    return nbformat.v4.new_notebook(cells=cells)


def submission(answers: dict[str, str] | None = None, **before: str) -> Submission:
    return Submission("ann", nbformat.writes(notebook(answers or {}, before)).encode())


@pytest.fixture(scope="module")
def key() -> Key:
    return key_from_source(notebook({}, {}), lab="01-lab")


@pytest.fixture(scope="module")
def grader(key: Key) -> Iterator[Grader]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LMS_TOKEN", "made-up-secret")
        patch.setenv("HTTPS_PROXY", "http://me:made-up-secret@proxy")
        patch.setenv("PYTHONOPTIMIZE", "2")
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "made-up-secret"))
        patch.setenv("PYTHONWARNINGS", "error")
        with Grader(key) as made:
            yield made


def scores(result: Result) -> list[float | None]:
    return [mark.score for mark in result.marks]


def mark(result: Result, test: str) -> Mark:
    return next(one for one in result.marks if one.test == test)


def shown(result: Result) -> str:
    return "\n".join(output.text for cell in result.cells for output in cell.outputs)


@pytest.mark.parametrize(("line", "says"), [
    ("!echo one; echo two", "one\ntwo"),
    ("import sys\n!{sys.executable} -c 'print(6 * 7)'", "42"),
    ("x = 'seven'\n!echo $x", "seven"),
    ("%system echo three", "three"),
    ("names = !echo four\nprint(names)", "four"),
    ("%%bash\necho five", "five"),
    ("!pip install -q nothing-of-that-name", "pip"),
    ("%pip install nothing-of-that-name", "pip"),
    ("!no-such-command", "not found"),
    ("%ls /", "usr"),
    ("get_ipython().system('echo six')", "six"),
    ("!sleep 1000 &\n!echo seven", "seven"),
    ("print('before')\n!echo between\nprint('after')", "before\nbetween\nafter"),
])  # fmt: skip
def test_shell_escapes_cost_nothing(grader: Grader, line: str, says: str) -> None:
    """honest-shell-in-answer, public/09-shell-escapes: they run without a terminal, and the cell goes on."""
    cut = line.startswith("%%")
    result = grader.grade(submission({} if cut else {"ex1": line + LABEL}, ex1=line))
    assert scores(result) == [2, 2, 4], result.marks
    assert says in shown(result)


def test_a_captured_cell_keeps_what_its_shell_prints(grader: Grader) -> None:
    result = grader.grade(submission(ex1="%%capture kept\n!echo inside", ex2="print('had', kept.stdout)"))
    assert shown(result).strip() == "had inside"


@pytest.mark.parametrize("first", ["%%time", "%matplotlib inline", "TABLE?", "!true", "%%capture"])
def test_magics_hide_no_names_of_tests_and_cells(grader: Grader, first: str) -> None:
    """honest-magics-hide-names, public/10-magic-hides-names: LIMIT is bound by a visible test, OWN by a cell."""
    answer = f"{first}\nSUM = TABLE['a'].sum() + LIMIT + OWN\ndef labels(scores):\n    return list(map(label, scores))"
    assert scores(grader.grade(submission({"ex2": answer}, ex2="!true\nOWN = 1"))) == [2, 2, 4]


def test_no_variable_of_the_shell_reaches_a_student(grader: Grader) -> None:
    """leak-environment-of-the-instructor, public/07-secrets-in-feedback: nor through /proc, nor by a child process."""
    spy = (
        "import os, pathlib, subprocess, sys\nprint(dict(os.environ), sys.path, sys.flags)\n"
        "for path in pathlib.Path('/proc').glob('[0-9]*/environ'):\n"
        "    try:\n        print(path.read_text())\n    except OSError as error:\n        print(error)\n"
        "!env\nprint(subprocess.run(['cat', '/proc/self/environ'], capture_output=True))"
    )
    text = json.dumps(grader.grade(submission(ex1=spy)).to_json())
    assert "OMP_NUM_THREADS" in text, "the variables were looked at"
    assert "made-up-secret" not in text
    assert "LMS_TOKEN" not in text


def test_a_planted_variable_would_be_seen(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = {**students_environment(), "PLANTED": "made-up-secret"}
    monkeypatch.setattr("kernels.parent.students_environment", lambda: planted)
    with Grader(key) as leaky:
        assert "made-up-secret" in shown(leaky.grade(submission(ex1="import os\nprint(dict(os.environ))")))
    planted["PYTHONOPTIMIZE"] = "1"
    with pytest.raises(UserError, match="asserts are switched off"):
        Grader(key)


def test_asserts_are_on_whatever_the_shell_says(grader: Grader, key: Key) -> None:
    """public/08-asserts-switched-off: this grader was started with PYTHONOPTIMIZE, PYTHONPATH and PYTHONWARNINGS."""
    assert scores(grader.grade(submission(dict(key.stubs)))) == [0, 0, 0]
    assert scores(grader.grade(submission({"ex1": "import warnings\nwarnings.warn('hm')" + LABEL}))) == [2, 2, 4]


WRONG = "def label(score):\n    return 'bad'"
SPY = """
import dis, gc, inspect, linecache, pathlib, types
def look():
    found = [repr(label), str(vars(type(label)))]
    for reading in (inspect.getsource, inspect.getdoc, dis.code_info, lambda one: one.__code__.co_consts,
                    lambda one: one.__closure__, lambda one: one.__globals__, lambda one: one.__defaults__):
        try:
            found.append(str(reading(label)))
        except Exception as error:
            found.append(str(error))
    found += [str(lines) for lines in linecache.cache.values()] + [str(In) if 'In' in globals() else '']
    for one in gc.get_objects():
        code = getattr(one, '__code__', None)
        if isinstance(code, types.CodeType):
            found.append(str(code.co_consts))
        elif isinstance(one, (str, bytes, list, dict, tuple)) and len(one) < 10_000:
            try:
                found.append(str(one))
            except Exception:
                pass
    for line in open('/proc/self/maps'):
        if line.split()[-1] in ('[heap]', '[stack]'):
            start, end = (int(part, 16) for part in line.split()[0].split('-'))
            with open('/proc/self/mem', 'rb') as memory:
                memory.seek(start)
                found.append(memory.read(end - start).decode('latin-1'))
    return ' '.join(found)
"""
READS = (
    SPY
    + """
label(0.9)
TEXT = look()
def labels(scores):
    return [label(one) for one in scores]
def points():
    return 3.0 + any(mark[::-1] in TEXT for mark in ('247135.0', 'nwo sti #'))  # backwards, for this text is here too
"""
)


def test_a_forgiven_mistake_shows_nothing_of_the_reference(grader: Grader) -> None:
    """leak-reference-in-second-look: `label` is there to be called, and its text is nowhere in the process."""
    result = grader.grade(submission({"ex1": WRONG, "ex2": READS, "ex3": "# see above, where labels is"}))
    assert scores(result) == [0, 2, 3], result.marks
    assert mark(result, "ex2-test").rescued == ("ex1",)


def test_that_spy_would_find_the_reference_in_its_own_process(grader: Grader) -> None:
    reference = next(source for name, _, source in CELLS if name == "ex1")
    assert scores(grader.grade(submission({"ex1": reference, "ex2": READS, "ex3": "pass"})))[2] == 4


def test_a_reference_answer_is_called_as_if_it_were_the_students(grader: Grader) -> None:
    """With plain data, callbacks of the student's, exceptions, and after the student's kernel has died."""
    uses = (
        "def labels(scores):\n    try:\n        label('x')\n    except TypeError:\n        return [*map(label, scores)]"
    )
    assert scores(grader.grade(submission({"ex1": WRONG, "ex2": uses}))) == [0, 2, 4]
    assert scores(grader.grade(submission({"ex1": WRONG}, ex3="import os\nos._exit(1)"))) == [0, 2, 4]
    early = "FIRST = label(0.9)\ndef labels(scores):\n    return [FIRST, label(0.1)]"
    assert scores(grader.grade(submission({"ex1": WRONG, "ex2": early}))) == [0, 2, 4]


def test_a_reference_answer_that_is_no_secret_may_run_where_the_students_code_runs() -> None:
    """A class that the student's answer derives from cannot be called from afar; its lab says that it may be read."""
    source = notebook({}, {})
    base = "class Base:\n    ### BEGIN SOLUTION\n    {}\n    limit = 0.5\n    ### END SOLUTION"
    tests = {
        "ex1-test": "assert Base.limit == 0.5, 'the limit is 0.5'",
        "ex2-test": "assert labels() == 0.5, 'as Base has it'",
    }
    answers = {
        "ex1": "class Base:\n    limit = 9",
        "ex2": "class Own(Base):\n    pass\ndef labels():\n    return Own.limit",
    }
    for line, points in (("# grader: no secret", 2), ("# its limit", 0)):
        source = notebook({"ex1": base.format(line), **tests}, {})
        with Grader(key_from_source(source, lab="01-lab")) as own:
            handed_in = notebook({**answers, **tests}, {})
            assert scores(own.grade(Submission("ann", nbformat.writes(handed_in).encode())))[1] == points


MANY_THREADS = """
import threading, time
def many(number):
    threads = [threading.Thread(target=time.sleep, args=(0.3,)) for _ in range(number)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
"""


@pytest.mark.parametrize("use", [
    f"{MANY_THREADS}\nmany(300)",
    "from multiprocessing.pool import ThreadPool\nprint(sum(ThreadPool(200).map(abs, range(1000))))",
    "from joblib import Parallel, delayed\nParallel(96, prefer='threads')(delayed(abs)(n) for n in range(200))",
])  # fmt: skip
def test_there_is_room_for_a_few_hundred_threads(grader: Grader, use: str) -> None:
    """honest-threads, public/26-threads-and-servers."""
    assert scores(grader.grade(submission({"ex1": use + LABEL}))) == [2, 2, 4]


@pytest.mark.parametrize("use", [
    f"{MANY_THREADS}\nmany(40)",
    "from multiprocessing.pool import ThreadPool\nThreadPool(40)",
    "import os, time\nfor _ in range(40):\n    if os.fork() == 0:\n        time.sleep(50)\n        os._exit(0)",
])  # fmt: skip
def test_more_than_there_is_room_for_is_said_in_plain_words(key: Key, use: str) -> None:
    """honest-threads: the limit can be set, and the reason names it, in a cell and in a function that a test calls."""
    says = "20 processes and threads"
    inside = "def label(score):\n    " + use.replace("\n", "\n    ") + "\n    return 'good'"
    with Grader(key, Limits(processes=20)) as narrow:
        for answer in (use + LABEL, inside):
            assert says in mark(narrow.grade(submission({"ex1": answer}), rescue=False), "ex1-test").reason


# --- time ---

WORKS = "import time\nbegin = time.process_time()\nwhile time.process_time() - begin < 0.8:\n    pass"
WAITS = "import time\ntime.sleep(60)"
LOOPS = "while True:\n    pass"


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """What a neighbour can do: processes that only compute, each in a session of its own."""
    spins = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
        for _ in range(5 * len(os.sched_getaffinity(0)))
    ]
    yield
    for one in spins:
        one.kill()
        one.wait()


def test_a_neighbour_takes_nobodys_time(key: Key, busy_machine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """harm-starving-neighbour: 0.8 s of work within a limit of 1.8 s, with a sixth of a core."""
    with Grader(key, Limits(cell_seconds=1.8)) as made:
        assert scores(made.grade(submission({"ex1": WORKS + LABEL}), rescue=False)) == [2, 2, 4]
        monkeypatch.setattr(Clock, "look", lambda self, after=0.0: None)  # the wall's clock alone
        lost = made.grade(submission({"ex1": WORKS + LABEL}), rescue=False)
        assert scores(lost)[0] == 0, "this machine is too fast for that test"
        assert "still running after 1.8 s" in mark(lost, "ex1-test").reason


@pytest.mark.parametrize(("source", "says"), [
    (LOOPS, "still running after 2 s: is there a loop that never ends?"),
    (WAITS, "still running after 2 s, and only waits: for a server that is not there, a lock, a sleep?"),
])  # fmt: skip
def test_what_never_ends_is_ended_in_time_and_told_apart(key: Key, source: str, says: str) -> None:
    with Grader(key, Limits(cell_seconds=2)) as made:
        begin = time.monotonic()
        result = made.grade(submission({"ex1": source + LABEL}), rescue=False)
        assert mark(result, "ex1-test").reason == f"in the answer's cell: {says}"
        assert time.monotonic() - begin < 2 * FAR + 5


@pytest.mark.parametrize(("ask", "says"), [
    ("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:5000')",
     "Connection refused>: there is no server 127.0.0.1:5000 here, and no network"),
    ("import socket\nsocket.create_connection(('192.0.2.7', 80))", "there is no server 192.0.2.7:80 here"),
    ("import urllib.request\nurllib.request.urlopen('http://models.example:80')", "models.example:80"),
    ("import mlflow\nmlflow.set_tracking_uri('http://127.0.0.1:5000')\nmlflow.search_experiments()", "127.0.0.1"),
])  # fmt: skip
def test_a_server_that_is_not_there_is_named(grader: Grader, ask: str, says: str) -> None:
    """public/26-threads-and-servers: also where the library would retry for minutes."""
    lost = mark(grader.grade(submission({"ex1": ask + LABEL}), rescue=False), "ex1-test")
    assert (lost.score, says in lost.reason) == (0, True), lost.reason


def test_who_waits_for_a_server_is_asked_about_it(key: Key) -> None:
    """public/26-threads-and-servers"""
    ask = "import socket, time\nwhile socket.socket().connect_ex(('127.0.0.1', 5000)):\n    time.sleep(0.1)"
    with Grader(key, Limits(cell_seconds=3)) as made:
        lost = mark(made.grade(submission({"ex1": ask + LABEL}), rescue=False), "ex1-test")
    assert "only waits: it last asked for 127.0.0.1:5000. Is a server there?" in lost.reason


FLOOD = """
import gc, socket, struct
ends = [one for one in gc.get_objects() if type(one) is socket.socket]
while True:
    for one in ends:
        one.sendall(struct.pack('!QB', 9, ord('s')) + b'127.0.0.1')
"""


def test_who_tells_of_servers_for_ever_or_asks_a_reference_for_ever_is_ended(key: Key) -> None:
    with Grader(key, Limits(cell_seconds=2)) as made:
        begin = time.monotonic()
        assert scores(made.grade(submission({"ex1": FLOOD + LABEL}), rescue=False))[0] == 0
        asks = "while True:\n    label(0.1)\ndef labels(scores):\n    pass"
        assert scores(made.grade(submission({"ex1": WRONG, "ex2": asks}))) == [0, 0, 4]
        assert time.monotonic() - begin < 2 * FAR * 3


def test_what_was_lost_by_time_while_starved_is_graded_again_alone(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    order = list[str]()
    graded = Grader._graded

    def noting(self: Grader, given: Submission, *rest: Any) -> Result:
        order.append(f"begin {given.student}")
        if given.student == "bob":
            time.sleep(2.5)
        result = graded(self, given, *rest)
        order.append(f"end {given.student}")
        return result

    monkeypatch.setattr(Grader, "_graded", noting)
    monkeypatch.setattr(Clock, "starved", lambda self, limit: len(order) < 4)
    with Grader(key, Limits(cell_seconds=1)) as made, ThreadPoolExecutor() as pool:
        bob = pool.submit(made.grade, replace(submission(), student="bob"))
        ann = made.grade(submission({"ex1": WAITS + LABEL}), rescue=False)
        assert scores(bob.result()) == [2, 2, 4]
    assert scores(ann)[0] == 0
    assert sorted(order[:2]) == ["begin ann", "begin bob"]
    assert order[2:] == ["end ann", "end bob", "begin ann", "end ann"], "alone, after bob"


def test_a_clock_stands_still_for_the_starved_only(monkeypatch: pytest.MonkeyPatch) -> None:
    had: dict[int, tuple[int, int]] = {}
    wall = [100.0]
    monkeypatch.setattr("autograder.examiner.clock._tasks", lambda pid: iter(had.items()))
    monkeypatch.setattr("autograder.examiner.clock._stand_back", lambda task: None)
    monkeypatch.setattr("autograder.examiner.clock.time.monotonic", lambda: wall[0])

    def passes(seconds: float, **tasks: tuple[float, float]) -> float:
        """Return the seconds that the clock counts; each task computes and waits for so long."""
        clock = Clock()
        clock.pids = [1]
        had.clear()
        clock.begin(60)
        before, wall[0] = clock.now(), wall[0] + seconds
        had.update({n: (int(got * 1e9), int(delay * 1e9)) for n, (got, delay) in enumerate(tasks.values())})
        clock.look()
        return clock.now() - before

    assert passes(10, alone=(10, 0)) == pytest.approx(10)
    assert passes(10, sleeps=(0, 0)) == pytest.approx(10)
    assert passes(10, starved=(1, 9)) == pytest.approx(1)
    assert passes(10, half_asleep=(1, 3)) == pytest.approx(7)
    assert passes(10, one=(5, 5), two=(5, 5)) == pytest.approx(10), "it had a core"
    assert passes(10, **{f"t{n}": (0.01, 9.9) for n in range(50)}) == pytest.approx(0.5)
    assert passes(1000, starved=(1, 999)) == pytest.approx(1000 - (FAR - 1) * 60), "not for ever"
