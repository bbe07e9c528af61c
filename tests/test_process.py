"""What this course starts imports nothing from the working directory, and heeds no variable that changes Python."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from authoring.repository import ROOT
from base.process import be_plain, plain_environment, python
from kernels.forks import can_fork

CHANGE = {"PYTHONOPTIMIZE": "2", "PYTHONINSPECT": "1", "PYTHONHASHSEED": "5", "PYTHONPATH": "/x", "PYTHONSTARTUP": "/y"}
BARE = re.compile(r"""sys\.executable,\s*["']-[mc]""")


def output(command: list[str], cwd: Path, **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of files that are named like modules, as students name theirs."""
    for name in ("socket", "random", "select", "json", "ctypes", "runpy"):
        (tmp_path / f"{name}.py").write_text(f"open('ran-{name}', 'w').close()\nraise ImportError('not this one')\n")
    return tmp_path


def ran(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("ran-*"))


def test_a_child_imports_nothing_from_the_working_directory(folder: Path) -> None:
    """public/20-cwd-is-imported"""
    assert output(python("-c", "import socket, random, json; print('fine')"), folder) == "fine"
    assert ran(folder) == []
    with pytest.raises(subprocess.CalledProcessError):
        output([sys.executable, "-c", "import socket"], folder)
    assert ran(folder), "and Python left alone would"


@pytest.mark.skipif(not can_fork(), reason="no warm parent here")
def test_nor_does_the_warm_parent(folder: Path) -> None:
    """public/20-cwd-is-imported: it is started outside the sandbox, with the instructor's rights."""
    start = "from kernels.parent import Parent\nwith Parent(['json', 'random']) as parent:\n    parent.ready()\n"
    output(python("-c", start), folder)
    assert ran(folder) == []
    bare = f"import sys, kernels.parent as p\np.python = lambda *them: [sys.executable, *them]\n{start}"
    with pytest.raises(subprocess.CalledProcessError):
        output(python("-c", bare), folder)
    assert ran(folder), "started otherwise, it would"


def bare_commands(texts: Mapping[str, str]) -> list[str]:
    """Return the files that start Python so that it imports from the working directory."""
    return sorted(name for name, text in texts.items() if BARE.search(text))


def test_every_child_is_started_so() -> None:
    paths = [path for part in ("course", "autograder") for path in (ROOT / part).rglob("*.py")]
    ours = [path for path in paths if not {"tests", "benchmarks", "attacks"} & set(path.relative_to(ROOT).parts)]
    # In / and in the clone; the other two start nothing.
    elsewhere = {"kernels/door.py", "course/cli.py", "kernels/porter.py", "kernels/provisioner.py"}
    texts = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ours}
    assert set(bare_commands(texts)) <= elsewhere, "use base.process.python"
    assert bare_commands({"new.py": 'run([sys.executable, "-m", "this"])'}) == ["new.py"]


def test_no_variable_changes_what_code_means(monkeypatch: pytest.MonkeyPatch) -> None:
    """public/08-asserts-switched-off"""
    for name, value in CHANGE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTHER", "stays")
    plain = plain_environment()
    assert not CHANGE.keys() & plain.keys()
    assert (plain["OTHER"], plain["PYTHONUTF8"]) == ("stays", "1")
    monkeypatch.setenv("PYTHONUTF8", "0")
    be_plain()
    assert not CHANGE.keys() & os.environ.keys()
    assert os.environ["PYTHONUTF8"] == "1"


def test_names_are_read_in_utf8_under_any_locale(tmp_path: Path) -> None:
    (tmp_path / "Jürgen").touch()
    looks = "from base.process import be_plain\nbe_plain()\nimport os\nprint(ascii(os.listdir()))"
    locale = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert output(python("-c", looks), tmp_path, **locale) == ascii(["Jürgen"])
    bare = looks.replace("be_plain()\n", "")
    assert output(python("-c", bare), tmp_path, **locale) != ascii(["Jürgen"]), "and without that they are not"
