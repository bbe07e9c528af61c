"""One notebook executed: what it cost, where it failed, and that nothing half-written or half-alive is left."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from course.execute import Outcome, execute
from kernels.door import FOLDER, Door
from kernels.provisioner import KERNEL_NAME
from tests.small_tree import code, markdown, notebook


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    with Door(os.environ) as own:
        yield own


@pytest.fixture(
    params=[
        "python3",
        pytest.param(KERNEL_NAME, marks=pytest.mark.skipif(sys.platform != "linux", reason="needs a fork")),
    ]
)
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kernel of its own process, and one forked from a warm parent, which is nobody's child here."""
    if request.param == KERNEL_NAME:
        monkeypatch.setenv(FOLDER, str(request.getfixturevalue("door").folder))
    return str(request.param)


def run(folder: Path, *sources: str, kernel: str = "python3") -> tuple[Outcome, Path, list[int]]:
    path = notebook(folder / "in" / "lesson.ipynb", markdown("# A"), *(code(source) for source in sources))
    output, seen = folder / "out" / "lesson.ipynb", list[int]()
    return execute(path, output, folder / "scratch", seen.append, kernel), output, seen


def test_a_notebook_that_runs(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "scratch" / "old.txt").write_text("from the run before", encoding="utf-8")
    outcome, output, seen = run(tmp_path, "import time; time.sleep(0.4); print(6 * 7)", "open('new.txt', 'w').close()")
    assert outcome.failure is None
    assert (outcome.cells, seen) == (2, [1, 2, 3])
    assert 0.4 <= outcome.slowest_cell <= outcome.cell_seconds <= outcome.seconds
    assert outcome.peak_mb > 20
    assert outcome.left_running == []
    assert [path.name for path in (tmp_path / "scratch").iterdir()] == ["new.txt"]
    assert [path.name for path in output.parent.iterdir()] == ["lesson.ipynb"]
    text = output.read_text(encoding="utf-8")
    assert "42" in str(json.loads(text)["cells"][1]["outputs"])
    assert str(tmp_path) not in text
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


def test_a_cell_that_fails_is_named_with_its_last_lines(tmp_path: Path) -> None:
    outcome, output, seen = run(tmp_path, "x = 0", "def f(a):\n    return 1 / a\nf(x)", "never")
    assert outcome.failure is not None
    assert outcome.failure.cell == 3
    assert outcome.failure.source.endswith("f(x)")
    assert outcome.failure.error == "ZeroDivisionError: division by zero"
    assert "----> 2     return 1 / a" in outcome.failure.last_lines
    assert seen[-1] == 3
    assert "ZeroDivisionError" in output.read_text(encoding="utf-8")
    assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))) == outcome


def test_the_memory_of_the_kernels_children_counts(tmp_path: Path, kernel: str) -> None:
    hungry = "x = bytes(10**6) * 300; import time; time.sleep(1.5)"
    source = f"import os, subprocess, sys\nsubprocess.run([sys.executable, '-c', {hungry!r}])\nos.getppid()"
    outcome, output, _ = run(tmp_path, source, kernel=kernel)
    assert outcome.peak_mb > 320
    assert (str(os.getpid()) in output.read_text(encoding="utf-8")) == (kernel == "python3")


def test_pages_that_children_share_count_once(tmp_path: Path) -> None:
    """Four forks that only look at 300 MB of their parent's: by resident memory that would be 1.5 GB."""
    source = "import os, time\nx = bytes(10**6) * 300\nchildren = []\nfor _ in range(4):\n    pid = os.fork()\n"
    source += "    if not pid:\n        sum(x[::4096])\n        time.sleep(1.5)\n        os._exit(0)\n"
    source += "    children.append(pid)\n"
    source += "for pid in children:\n    os.waitpid(pid, 0)"
    assert 320 < run(tmp_path, source)[0].peak_mb < 900


def test_a_warm_kernel_counts_as_much_as_one_that_imports_by_itself(
    tmp_path: Path, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import pandas, sklearn.ensemble, mlflow, matplotlib.pyplot, lightgbm\nx = b'x' * 10**8\n"
    source += "import time; time.sleep(1)"
    cold = run(tmp_path, source)[0].peak_mb
    monkeypatch.setenv(FOLDER, str(door.folder))
    warm = run(tmp_path, source, kernel=KERNEL_NAME)[0].peak_mb
    assert cold - 20 < warm < cold + 150


def test_a_kernel_that_dies_leaves_no_old_result_and_no_process(tmp_path: Path, kernel: str) -> None:
    _, output, _ = run(tmp_path, "1", kernel=kernel)
    assert output.is_file()
    sleeper = "import subprocess, time, os\nchild = subprocess.Popen(['sleep', '321'])\ntime.sleep(1)"
    outcome, output, _ = run(tmp_path, sleeper, "os._exit(1)", kernel=kernel)
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.source) == (3, "os._exit(1)")
    assert "the kernel died" in outcome.failure.error
    assert not output.exists()
    assert outcome.left_running == ["sleep"]
    assert not [found for found in psutil.process_iter(["cmdline"]) if found.info["cmdline"] == ["sleep", "321"]]


def test_a_cell_that_never_ends_is_stopped(tmp_path: Path, kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course.execute.CELL_TIMEOUT", 1)
    outcome, output, _ = run(tmp_path, "1", "import time\ntime.sleep(60)", kernel=kernel)
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.failure.error) == (3, "the cell did not end within 1 s")
    assert not output.exists()
    assert outcome.seconds < 40


def test_lean_imports_save_the_grammar_and_still_validate() -> None:
    program = (
        "import sys\nfrom course.execute import lean_imports\nlean_imports()\nimport nbformat, papermill\n"
        "print('lark' in sys.modules)\n"
        "wrong = {'cells': [{'cell_type': 'no'}], 'metadata': {}, 'nbformat': 4, 'nbformat_minor': 4}\n"
        "try:\n    nbformat.validate(wrong)\n"
        "except nbformat.ValidationError:\n    print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "refused"]


def test_what_is_not_a_notebook_fails_before_its_first_cell(tmp_path: Path) -> None:
    (tmp_path / "lesson.ipynb").write_text("{}", encoding="utf-8")
    outcome = execute(tmp_path / "lesson.ipynb", tmp_path / "out.ipynb", tmp_path / "scratch", print)
    assert outcome.failure is not None
    assert (outcome.failure.cell, outcome.cells) == (0, 0)
    assert not (tmp_path / "out.ipynb").exists()
