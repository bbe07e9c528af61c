"""`course start`: JupyterLab on a learner's own folder, set up for a learner (see `course/jupyter`)."""

import os
from pathlib import Path

from authoring.repository import ROOT
from base.process import python

CONFIG = Path(__file__).parent / "jupyter"


def lab_command(root: Path = ROOT, port: int | None = None, browser: bool = True) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts JupyterLab on `work/`, and the variables it adds to the environment.

    Args:
        root: The repository; where it serves from, and on which page it opens, says `course/jupyter`.
        port: Where to listen; None: JupyterLab takes 8888 or the next free one. A given port is taken or refused.
        browser: Whether to open a browser.
    """
    command = python("-m", "jupyterlab")
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container, most likely; Jupyter refuses root without being told
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    path = os.pathsep.join([str(CONFIG), *([others] if others else [])])
    return command, {"COURSE_ROOT": str(root), "JUPYTER_CONFIG_PATH": path}
