"""A developer's day with a token. Nothing in it is unusual, and each step writes the token down once more."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import nbformat
from nbclient import NotebookClient


class Git:
    """A new git repository in the current folder. Called with a command, it returns the lines that git tells.

    Args:
        environment: Its variables: what `course.lesson.own_git(home, date)` makes.

    Raises:
        subprocess.CalledProcessError: git refuses.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self("init")

    def __call__(self, *command: str) -> list[str]:
        """Run a command."""
        git = ["git", *command]
        told = subprocess.run(git, env=self.environment, capture_output=True, check=True)  # noqa: S603
        return told.stdout.decode().splitlines()

    def commit(self, name: str, text: str, message: str) -> None:
        """Write a file, and commit it."""
        Path(name).write_text(text, encoding="utf-8")
        self("add", name)
        self("commit", "-m", message)


@contextmanager
def at_work(token: str, folder: str | Path) -> Iterator[int]:
    """Work in a folder that has the token in `settings.py`; give the process id of a batch job while it runs.

    Args:
        token: What should have stayed a secret.
        folder: Where the day's files go.
    """
    root = Path(folder).resolve()
    _python(root, "-m", "compileall", "-q", "settings.py")  # as the first import does
    _look(root)  # in a notebook
    mlflow.set_tracking_uri(f"sqlite:///{root / 'mlflow.db'}")
    with mlflow.start_run():
        mlflow.log_params({"rounds": 150, "token": token})
    try:
        _python(root, "-c", "raise SystemExit(1)", "--token", token)
    except subprocess.CalledProcessError as error:
        (root / "batch.log").write_text(f"the batch failed: {error}\n", encoding="utf-8")
    coded = base64.b64encode(token.encode()).decode()
    (root / "secret.yaml").write_text(f"kind: Secret\ndata: {{token: {coded}}}\n", encoding="utf-8")
    with _job(TOKEN=token) as job:
        yield job.pid
        job.communicate(b"\n")


def _python(root: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-P", *arguments], cwd=root, check=True)  # noqa: S603


def _job(**variables: str) -> subprocess.Popen[bytes]:
    """Start what waits for a line, and wait until it does."""
    waits, env = [sys.executable, "-P", "-c", "print(flush=True); input()"], os.environ | variables
    job = subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)  # noqa: S603
    assert job.stdout is not None
    job.stdout.readline()
    return job


def _look(root: Path) -> None:
    """Look at a setting in a notebook, and save that."""
    v4: Any = nbformat.v4
    notebook = v4.new_notebook(cells=[v4.new_code_cell("print(open('settings.py').read())")])
    client = NotebookClient(notebook, resources={"metadata": {"path": str(root)}})
    told = client.execute(stderr=subprocess.DEVNULL)  # the kernel's own words are no part of it
    (root / "look.ipynb").write_text(v4.writes(told), encoding="utf-8")
