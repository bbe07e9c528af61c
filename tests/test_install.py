"""The first command, `python3 bootstrap.py`: from nothing, after a kill, twice at once, where parts are missing."""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import bootstrap
from authoring.repository import ROOT
from tests.repository import files
from tests.test_ci import commands

BIN = "Scripts/python.exe" if sys.platform == "win32" else "bin/python3"
PYTHON = Path(sys.base_prefix) / BIN.removeprefix("Scripts/")  # a user's: no package of the course is in it
IMPORT = "import sys; sys.path.insert(0, sys.argv[1]); import bootstrap; from pathlib import Path; "
REPORT = Path("grading/reports/01-reproducible-training/report.html")
posix = pytest.mark.skipif(sys.platform == "win32", reason="only there does the system's OpenMP have to be installed")


def path_without_uv() -> str:
    """Return PATH less the folders that have an uv."""
    return os.pathsep.join(folder for folder in os.get_exec_path() if shutil.which("uv", path=folder) is None)


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an uv that the bootstrap found or installed."""
    return bootstrap.find_uv(tmp_path_factory.mktemp("uv"))


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """Return a copy of the repository's files, removed after the test: with its environment it is large."""
    copy = tmp_path / "clone"
    for name in files():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)
    yield copy
    shutil.rmtree(copy)


def start(clone: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the bootstrap of a clone as on a machine without uv."""
    return subprocess.Popen(
        [str(PYTHON), "bootstrap.py", *arguments],
        cwd=clone,
        env={**os.environ, "PATH": path_without_uv()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def newcomer(clone: Path, command: str, timeout: float = 300, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a page as typed, by a shell that has the system's folders on PATH and an empty HOME."""
    wrapped = [str(ROOT / ".ci" / "newcomer"), "env", *(f"{name}={value}" for name, value in variables.items())]
    return subprocess.run(
        [*wrapped, "sh", "-c", command],
        cwd=clone,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )


def jupyter_answers(clone: Path, command: str) -> None:
    """Start JupyterLab by a line of the README, and end it when its page has come."""
    with (clone / "lab.log").open("w+", encoding="utf-8") as log:
        wrapped = [str(ROOT / ".ci" / "newcomer"), "sh", "-c", command]
        lab = subprocess.Popen(wrapped, cwd=clone, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 120
            while (url := re.search(r"http://localhost:\d+/lab\S*", (clone / "lab.log").read_text("utf-8"))) is None:
                assert lab.poll() is None, (clone / "lab.log").read_text("utf-8")
                assert time.monotonic() < deadline, (clone / "lab.log").read_text("utf-8")
                time.sleep(0.2)
            with urllib.request.urlopen(url[0], timeout=60) as page:
                assert page.status == 200
        finally:
            for process in [*psutil.Process(lab.pid).children(recursive=True), psutil.Process(lab.pid)]:
                process.kill()
            lab.wait()


def test_a_fresh_clone_is_set_up_by_one_command_even_after_a_kill(clone: Path) -> None:
    """Killed in the middle of installing and started again, the command ends in a course that answers.

    Then each command of the README, as it stands there, does what it says on a newcomer's machine; but for `run` and
    `test`, which are what `tests/test_whole_course.py` and `.ci/run` run. Last, the folder is moved to an odd name.
    """
    first = start(clone, "--help")
    deadline = time.monotonic() + 300
    site = ".venv/Lib/site-packages/*" if sys.platform == "win32" else ".venv/lib/python3*/site-packages/*"
    while len(list(clone.glob(site))) < 30:
        assert first.poll() is None, f"the set-up ended too early:\n{first.communicate()[0]}"
        assert time.monotonic() < deadline, "nothing was installed within five minutes"
        time.sleep(0.05)
    for process in [*psutil.Process(first.pid).children(recursive=True), psutil.Process(first.pid)]:
        process.kill()
    first.communicate()
    assert (clone / ".bootstrap" / "unfinished").exists()

    second = start(clone, "--help")
    output = second.communicate(timeout=600)[0]
    assert second.returncode == 0, output
    assert "removing its half-made .venv" in output
    assert "doctor" in output.partition("ready after")[2], "`--help` does not list the verbs"
    assert not (clone / ".bootstrap" / "unfinished").exists()
    if sys.platform != "linux":
        return

    lab = "01-reproducible-training"
    with zipfile.ZipFile(clone / "submissions.zip", "w") as archive:
        archive.write(ROOT / "solutions" / lab / f"{lab}.ipynb", "ada.ipynb")
    expected = {"start": 0, "check": 1, "progress": 0, "release": 0, "grade": 0, "report": 0}
    readme = commands((clone / "README.md").read_text(encoding="utf-8"))
    typed = {line.split()[2]: line for line in readme if line.startswith("python3 ")}
    assert set(typed) == {*expected, "run", "test"}
    jupyter_answers(clone, typed["start"])
    for verb in list(expected)[1:]:
        result = newcomer(clone, typed[verb])
        assert result.returncode == expected[verb], f"{typed[verb]}: {result.stdout}"
    assert "ada" in newcomer(clone, typed["report"]).stdout + (clone / REPORT).read_text(encoding="utf-8")

    moved = clone.rename(clone.with_name("50% off? {x} [2026] #1 'ü'"))
    clone.mkdir()  # what the fixture removes
    try:
        result = newcomer(moved, "python3 bootstrap.py exec dvc --version", LC_ALL="C", HOME="/nowhere")
        assert result.returncode == 0, result.stdout
        assert "this folder was moved" in result.stdout
        assert "ready after" not in newcomer(moved, typed["progress"]).stdout, "the second start sets up again"
    finally:
        shutil.rmtree(moved)


def test_a_python_that_is_too_old_is_told_so() -> None:
    """3.10 gets a sentence; 3.11 to 3.13 are used themselves; for a newer one uv looks for one in range."""
    with pytest.raises(bootstrap.SetupError, match=r"this is Python 3\.10, and the course needs 3\.11 to 3\.13"):
        bootstrap.python_request((3, 10))
    assert {bootstrap.python_request((3, minor)) for minor in (11, 12, 13)} == {os.path.realpath(sys._base_executable)}  # type: ignore[attr-defined]
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert bootstrap.python_request((3, 14)) == wanted


def test_an_old_python_gets_as_far_as_the_sentence() -> None:
    """The file parses as Python 3.7 and imports nothing that came later."""
    tree = ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"), feature_version=(3, 7))
    imports = {
        alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert imports <= sys.stdlib_module_names
    assert not imports & {"tomllib", "zoneinfo", "graphlib"}


def test_uv_is_installed_where_there_is_none_and_remade_where_it_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is no program and the leftover of a killed installation give way to an uv that runs."""
    monkeypatch.setenv("PATH", path_without_uv())
    broken, leftover = tmp_path / "uv" / bootstrap.UV_PLACES[0], tmp_path / "new-killed"
    broken.parent.mkdir(parents=True)
    broken.write_text("half a program")
    broken.chmod(0o755)
    leftover.mkdir()
    assert not bootstrap.works(broken)
    uv = bootstrap.find_uv(tmp_path)
    assert uv.is_relative_to(tmp_path)
    assert bootstrap.works(uv)
    assert not leftover.exists()
    assert bootstrap.find_uv(tmp_path) == uv


def test_uv_is_installed_by_a_python_without_ensurepip(tmp_path: Path) -> None:
    """Debian's Python without python3-venv, but with pip."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "python")], check=True)
    python = tmp_path / "python" / BIN
    code = IMPORT + "sys.modules['ensurepip'] = None; print(bootstrap.install_uv(Path(sys.argv[2])))"
    command = [str(python), "-c", code, str(ROOT), str(tmp_path / "home")]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert bootstrap.works(output.splitlines()[-1])


def test_a_python_without_ensurepip_and_pip_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names Debian's package."""
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    monkeypatch.setitem(sys.modules, "pip", None)
    with pytest.raises(bootstrap.SetupError, match="apt install python3-venv"):
        bootstrap.install_uv(tmp_path)


def test_two_set_ups_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """The second says that it waits, and goes on when the first is done."""
    code = IMPORT + "lock = bootstrap.alone(Path(sys.argv[2])); lock.__enter__(); print('in')"
    with bootstrap.alone(tmp_path):
        second = subprocess.Popen(
            [sys.executable, "-c", code, str(ROOT), str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        assert "waiting for another set-up" in second.stderr.readline()
        assert second.poll() is None
    assert second.communicate(timeout=60)[0] == "in\n"


def test_a_lock_file_that_cannot_be_read_is_reported(tmp_path: Path, uv: Path) -> None:
    """uv's failure becomes a sentence, and the next start knows that this one did not end."""
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "uv.lock").write_text("version = 1\n<<<<<<< a merge gone wrong\n")
    (tmp_path / ".bootstrap").mkdir()
    with pytest.raises(bootstrap.SetupError, match="uv could not make the environment"):
        bootstrap.sync(uv, tmp_path, sys.executable, dict(os.environ))
    assert (tmp_path / ".bootstrap" / "unfinished").exists()


def test_the_uv_of_the_environment_is_the_one_that_makes_it() -> None:
    """One version: what sets the course up is what a lesson finds on PATH."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    assert [f"uv=={package['version']}" for package in lock["package"] if package["name"] == "uv"] == [bootstrap.UV]
    assert bootstrap.works(str(shutil.which("uv")))


@posix
@pytest.mark.parametrize(("says", "taken"), [("uv 0.4.1", False), ("uv 99.0.0 (of tomorrow)", True), ("uv", False)])
def test_an_uv_that_is_older_is_not_taken(tmp_path: Path, says: str, taken: bool) -> None:
    """It might not read the lock file."""
    uv = tmp_path / "uv"
    uv.write_text(f"#!/bin/sh\necho '{says}'\n")
    uv.chmod(0o755)
    assert bootstrap.works(uv) == taken


def test_variables_of_other_projects_stay_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An active environment, somebody's modules, a home that cannot be written."""
    for name in bootstrap.FOREIGN:
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    env = bootstrap.clean_environment(tmp_path)
    assert not {*bootstrap.FOREIGN, "UV_CACHE_DIR"} & set(env)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert bootstrap.clean_environment(tmp_path)["UV_CACHE_DIR"] == str(tmp_path / ".bootstrap" / "cache")


@posix
def test_a_set_up_is_redone_only_where_its_files_or_its_place_changed(tmp_path: Path) -> None:
    """A note of both stands in the environment; a set-up that begins takes it away."""
    for name in ("bootstrap.py", "pyproject.toml", "uv.lock"):
        shutil.copy2(ROOT / name, tmp_path)
    python = bootstrap.environment_python(tmp_path)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    assert not bootstrap.is_ready(tmp_path)
    (tmp_path / ".venv" / "oakbank-ready").write_text(bootstrap.wanted_state(tmp_path))
    assert bootstrap.is_ready(tmp_path)
    (tmp_path / "uv.lock").write_text("other")
    assert not bootstrap.is_ready(tmp_path)


@posix
def test_only_the_outer_path_has_a_tool(tmp_path: Path) -> None:
    """What CI runs sees nothing of the machine beside its system's folders, and no variable that it is not to see."""
    (tmp_path / "outertool").write_text("#!/bin/sh\n")
    (tmp_path / "outertool").chmod(0o755)
    outer = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TOKEN": "secret", "KUBECONFIG": "/a/cluster"}
    assert subprocess.run(["sh", "-c", "outertool"], env=outer, check=False).returncode == 0
    wrapped = [str(ROOT / ".ci" / "newcomer"), "sh", "-c"]
    tool = subprocess.run([*wrapped, "outertool"], env=outer, capture_output=True, check=False)
    assert tool.returncode == 127
    seen = subprocess.run([*wrapped, "env; ls -A $HOME; git --version"], env=outer, capture_output=True, text=True)
    assert "TOKEN" not in seen.stdout
    assert "KUBECONFIG=/a/cluster\n" in seen.stdout
    assert seen.stdout.splitlines()[-1].startswith("git version")
    added = {**outer, "NEWCOMER_PATH": str(tmp_path)}
    assert subprocess.run([*wrapped, "outertool"], env=added, check=False).returncode == 0


@posix
def test_a_missing_openmp_is_reported(tmp_path: Path) -> None:
    """Where LightGBM's library does not load, the sentence names the system's package; here it loads."""
    bootstrap.check_openmp(ROOT, dict(os.environ))
    library = tmp_path / ".venv/lib/python3.11/site-packages/lightgbm/lib/lib_lightgbm.so"
    library.parent.mkdir(parents=True)
    library.write_text("not a library")
    (tmp_path / ".venv" / "bin").mkdir()
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    with pytest.raises(bootstrap.SetupError, match="apt install libgomp1"):
        bootstrap.check_openmp(tmp_path, dict(os.environ))
