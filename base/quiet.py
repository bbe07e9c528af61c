"""Nothing that is started from here reports home, or works on what is not its own.

Every tool's telemetry is switched off here, and nowhere else. What a user's shell was set up for stays outside: another
project's git repository, somebody's MLflow server, an active environment. All commands call `quiet` first.
"""

import os
import sys
from collections.abc import Iterable

TELEMETRY_OFF: dict[str, str] = {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "LAKEFS_STATS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    "PHOENIX_TELEMETRY_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "WANDB_ERROR_REPORTING": "false",
    "WHYLOGS_NO_ANALYTICS": "True",
}

_TOOLS = (
    *("AIRFLOW_", "ARIZE_", "CLEARML_", "COMET_", "DATABRICKS_", "DVC_", "FEAST_", "FIDDLER_", "GIT_", "GX_", "KFP_"),
    *("MLFLOW_", "OTEL_", "PHOENIX_", "PREFECT_", "WANDB_", "WHYLABS_", "WHYLOGS_"),
)
"""Beginnings of variables that say where a tool keeps its things, on which server, and as whom."""
_NAMES = frozenset(
    {
        *("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "RAY_ADDRESS"),
        *("PYTHONHOME", "PYTHONINSPECT", "PYTHONOPTIMIZE", "PYTHONPATH", "PYTHONSTARTUP"),
    }
)
_ENVIRONMENTS = ("CONDA_PREFIX", "VIRTUAL_ENV")  # IPython would import from one that is active


def foreign(names: Iterable[str]) -> list[str]:
    """Return those of the names of environment variables that belong to another project, server or environment."""
    active = [name for name in _ENVIRONMENTS if os.environ.get(name) != sys.prefix]
    return [name for name in names if name.startswith(_TOOLS) or name in _NAMES or name in active]


def quiet() -> None:
    """Take them from this process and all it starts, and switch telemetry off, whatever was set before."""
    for name in foreign(list(os.environ)):
        del os.environ[name]
    os.environ.update(TELEMETRY_OFF)
