"""JupyterLab for a learner: their own copies, MLflow and the scoring service one click away, nothing for authors.

`course start` puts this folder on JUPYTER_CONFIG_PATH; so does whoever starts JupyterLab on Binder.
"""

import os
from pathlib import Path
from typing import Any

from jupyter_server_terminals.terminalmanager import TerminalManager

from authoring.repository import ROOT
from base.process import python
from base.quiet import quiet
from course.paths import RUNS, literal, registry_folder, runs_folder
from course.work.layout import ground
from course.work.page import NAME, write_page
from oakbank.world.files import sqlite_url

quiet()
root = Path(os.environ.get("COURSE_ROOT", ROOT))
registry = registry_folder(root)
runs = runs_folder(root)
for folder in (registry, runs):
    folder.mkdir(parents=True, exist_ok=True)
# Kernels take these over: what a notebook logs with MLflow is what MLflow's page shows.
os.environ |= {RUNS: str(runs), "MLFLOW_TRACKING_URI": sqlite_url(runs / "mlflow.db")}


class CourseTerminals(TerminalManager):
    """Opens every terminal in the course's folder, where the commands of the course are typed."""

    def create(self, **options: Any) -> dict[str, Any]:
        """Open a terminal, wherever the page asked for it."""
        return dict(super().create(**{**options, "cwd": str(root)}))


def after_save(model: dict[str, Any], **_: Any) -> None:
    """Have the page to begin at say what is next now."""
    if model["type"] == "notebook":
        write_page(root)


c = get_config()  # type: ignore[name-defined]  # noqa: F821
c.ServerApp.root_dir = str(ground(root))
c.LabApp.default_url = f"/lab/tree/{NAME}"
c.FileContentsManager.post_save_hook = after_save
c.TerminalsExtensionApp.terminal_manager_class = CourseTerminals

icons = Path(__file__).parent / "icons"
# What a proxied server sees must look local: it listens on 127.0.0.1 only, behind JupyterLab's token, and MLflow
# refuses other hosts and origins (behind Binder or Codespaces the browser sends those of the outside).
local = {"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}

c.ServerProxy.servers = {
    "mlflow": {
        "command": [
            *map(literal, python("-m", "mlflow", "server")),
            *("--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
            *("--backend-store-uri", literal(sqlite_url(runs / "mlflow.db"))),
            *("--default-artifact-root", literal((runs / "artifacts").as_uri())),
        ],
        # Without the job runner the server takes 0.5 GB instead of 1.3.
        "environment": {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        "timeout": 300.0,
        "request_headers_override": local,
        "launcher_entry": {
            "title": "MLflow",
            "icon_path": str(icons / "mlflow.svg"),
            "path_info": "mlflow/#/experiments",
        },
    },
    "service": {
        "command": [
            *map(literal, python("-m", "oakbank.deploy.service")),
            *("--registry", literal(registry), "--port", "{port}", "--root-path", "{base_url}service"),
        ],
        "timeout": 300.0,
        "request_headers_override": local,
        "launcher_entry": {
            "title": "Scoring service",
            "icon_path": str(icons / "service.svg"),
            "path_info": "service/readyz",
        },
    },
}

c.LabApp.extension_manager = "readonly"  # no page that offers to fetch extensions

# The authors' tools stay out: of the page (labconfig/page_config.json) and of the server. So does nbgrader's Validate
# button: it says "Success!" where the visible tests pass, and most points are decided by tests that it does not have.
c.ServerApp.jpserver_extensions = {
    "jupyterlab_jupytext": False,
    "nbgrader.server_extensions.assignment_list": False,
    "nbgrader.server_extensions.course_list": False,
    "nbgrader.server_extensions.formgrader": False,
    "nbgrader.server_extensions.validate_assignment": False,
}
