"""`course start`: JupyterLab on the course, set up for a learner (see `course/jupyter`)."""

import os
from pathlib import Path

from authoring.repository import ROOT
from base.process import python

CONFIG = Path(__file__).parent / "jupyter"


def lab_command(root: Path = ROOT, port: int | None = None, browser: bool = True) -> tuple[list[str], dict[str, str]]:
    """Return the command that starts JupyterLab on `root`, and the variables it adds to the environment.

    Args:
        root: The repository; JupyterLab's file browser starts there.
        port: Where to listen; None: JupyterLab takes 8888 or the next free one. A given port is taken or refused.
        browser: Whether to open a browser.
    """
    first = ["README.md"] if (root / "README.md").is_file() else []
    command = [
        *python("-m", "jupyterlab", f"--ServerApp.root_dir={root}"),
        f"--LabApp.default_url={'/'.join(['/lab', *(['tree', *first] if first else [])])}",
    ]
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container, most likely; Jupyter refuses root without being told
    others = os.environ.get("JUPYTER_CONFIG_PATH")
    path = os.pathsep.join([str(CONFIG), *([others] if others else [])])
    return command, {"COURSE_ROOT": str(root), "JUPYTER_CONFIG_PATH": path}
