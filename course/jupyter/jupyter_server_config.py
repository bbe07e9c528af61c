"""JupyterLab for a learner: MLflow and the scoring service one click away, and nothing that is for authors.

`course start` puts this folder on JUPYTER_CONFIG_PATH; so does whoever starts JupyterLab on Binder.
"""

import os
from pathlib import Path

from authoring.repository import ROOT
from base.process import python
from base.quiet import quiet
from course.paths import literal, registry_folder
from oakbank.world.files import sqlite_url

quiet()
registry = registry_folder(Path(os.environ.get("COURSE_ROOT", ROOT)))
registry.mkdir(parents=True, exist_ok=True)

c = get_config()  # type: ignore[name-defined]  # noqa: F821
icons = Path(__file__).parent / "icons"
# What a proxied server sees must look local: it listens on 127.0.0.1 only, behind JupyterLab's token, and MLflow
# refuses other hosts and origins (behind Binder or Codespaces the browser sends those of the outside).
local = {"Host": "localhost:{port}", "Origin": "http://localhost:{port}"}

c.ServerProxy.servers = {
    "mlflow": {
        "command": [
            *map(literal, python("-m", "mlflow", "server")),
            *("--host", "127.0.0.1", "--port", "{port}", "--workers", "1"),
            *("--backend-store-uri", literal(sqlite_url(registry / "mlflow.db"))),
            *("--artifacts-destination", literal((registry / "artifacts").as_uri())),
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
