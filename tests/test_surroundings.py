"""What the shell was set up for stays outside: whatever its variables name, lessons neither use nor change it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from authoring.repository import ROOT
from base.quiet import TELEMETRY_OFF, quiet
from course.lesson import own_git
from tests.small_tree import lesson

DATE = "2024-01-31T12:00:00Z"
RUNS_GIT = re.compile(r"""["']git["']|sh\(f?["']git """)


def git(folder: Path, *words: str, env: dict[str, str] | None = None) -> str:
    return subprocess.run(["git", *words], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """Somebody's repository with one commit."""
    folder = tmp_path / "precious"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
    env = own_git(tmp_path, DATE)
    for words in ("init -q", "add .", "commit -qm thesis"):
        git(folder, *words.split(), env=env)
    return folder


def planted(precious: Path) -> dict[str, str]:
    """Return what a hook, another project's shell or an active environment may have set."""
    away = precious / "elsewhere"
    variables = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{away}",
        "CONDA_PREFIX": str(away),
        "DVC_GLOBAL_CONFIG_DIR": str(away),
        "GIT_DIR": str(precious / ".git"),
        "GIT_INDEX_FILE": str(precious / ".git" / "index"),
        "GIT_WORK_TREE": str(precious),
        "MLFLOW_EXPERIMENT_NAME": "production",
        "MLFLOW_REGISTRY_URI": "http://127.0.0.1:9",
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
        "PREFECT_API_URL": "http://127.0.0.1:9",
        "PYTEST_ADDOPTS": "--no-such-option",
        "PYTHONOPTIMIZE": "1",
        "PYTHONSTARTUP": str(away),
        "RAY_ADDRESS": "127.0.0.1:9",
        "VIRTUAL_ENV": str(away),
        "WANDB_BASE_URL": "http://127.0.0.1:9",
    }
    return dict(sorted(variables.items()))


LESSON = (
    "import os; sorted(os.environ)",
    "import subprocess\n"
    "for words in ('init -q', 'config user.name Eve', 'config user.email eve@example.org',\n"
    "              'commit -q --allow-empty --no-gpg-sign -m loans'):\n"
    "    subprocess.run(['git', *words.split()], check=True)",
    "try:\n    assert False\nexcept AssertionError:\n    print('asserts count')",
)


def test_a_lesson_commits_into_its_own_repository(tmp_path: Path, precious: Path) -> None:
    """public/13-lesson-commits-into-your-repository: `run`, in a shell like a git hook's, in a folder named `{x}`."""
    root = tmp_path / "curly {x} 50% [2026]"  # public/19-names-of-the-folder
    lesson(root, "01-a/01-x", *LESSON)
    before = git(precious, "log", "--all", "--format=%H %s")
    command = [sys.executable, "-m", "course.cli", "--root", str(root), "run", "01/01"]
    done = subprocess.run(command, env=os.environ | planted(precious), capture_output=True, text=True, check=False)
    assert "1 of 1 ran as they should" in done.stdout, done.stdout + done.stderr
    assert git(precious, "log", "--all", "--format=%H %s") == before
    assert git(precious, "status", "--porcelain") == ""
    assert (root / "build" / "scratch" / "01-a-01-x" / ".git").is_dir()
    cells = json.loads((root / "build" / "run" / "01-a" / "01-x.ipynb").read_text(encoding="utf-8"))["cells"]
    assert cells[3]["outputs"][0]["text"] == ["asserts count\n"]
    seen = set(re.findall(r"'(\w+)'", "".join(cells[1]["outputs"][0]["data"]["text/plain"])))
    assert not seen & planted(precious).keys()
    assert seen >= TELEMETRY_OFF.keys()


def test_the_environment_that_runs_is_left_active(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    quiet()
    assert os.environ["VIRTUAL_ENV"] == sys.prefix


SETTINGS = """
[commit]
gpgsign = true
[core]
hooksPath = {home}/hooks
autocrlf = true
[init]
defaultBranch = trunk
templateDir = {home}/hooks
"""


def test_whatever_is_set_for_git_the_same_files_are_the_same_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No name set, signatures, hooks, line ends, ignored files: all from HOME, for the second commit."""
    home, made = tmp_path / "home", []
    for path, text in {
        ".gitconfig": SETTINGS.format(home=home),
        ".config/git/ignore": "*.csv\n",
        ".config/git/attributes": "*.csv filter=crypt\n",
        "hooks/pre-commit": "#!/bin/sh\nexit 1\n",
    }.items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text, encoding="utf-8")
    (home / "hooks" / "pre-commit").chmod(0o755)
    for name in ("plain", "odd"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "loans.csv").write_bytes(b"amount\r\n1\n")
        if name == "odd":
            monkeypatch.setenv("HOME", str(home))
            monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
        for words in ("init -q -b main", "add .", "commit -qm loans"):
            git(folder, *words.split(), env=own_git(folder / ".git", DATE))
        made.append(git(folder, "log", "--format=%H %an", "--name-only", env=own_git(folder / ".git", DATE)))
    assert made[0] == made[1]
    assert "Ada" in made[0]
    assert "loans.csv" in made[0]


def without_own_git(root: Path, names: Iterable[Path]) -> list[str]:
    """Return the files in which git is started, and not in the environment that `own_git` makes."""
    texts = {name.as_posix(): (root / name).read_text(encoding="utf-8") for name in names}
    return [name for name, text in texts.items() if RUNS_GIT.search(text) and "own_git(" not in text]


def test_whatever_of_the_course_starts_git_does_so_on_its_own(tmp_path: Path) -> None:
    """Lessons, labs, tours and reference; also shown: one that does not."""
    names = [path.relative_to(ROOT) for place in ("chapters", "solutions") for path in (ROOT / place).rglob("*.py")]
    lessons = [name for name in names if "tests" not in name.parts]
    assert len(lessons) > 100
    assert without_own_git(ROOT, lessons) == []
    (tmp_path / "a.py").write_text('sh("git init -q")\n', encoding="utf-8")
    (tmp_path / "b.py").write_text('run(["git", "init"])\n', encoding="utf-8")
    (tmp_path / "c.py").write_text('run(["git", "init"], env=own_git(home, date))\n', encoding="utf-8")
    assert without_own_git(tmp_path, map(Path, ("a.py", "b.py", "c.py"))) == ["a.py", "b.py"]
