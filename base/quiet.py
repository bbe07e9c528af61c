"""Nothing the course starts reports home, or works on what is not its own.

Every tool's telemetry is switched off here, and nowhere else. What a learner's shell was set up for stays outside:
another project's git repository, somebody's MLflow server, an active environment. All commands, tests, tours and
JupyterLab call `quiet` first. A lesson that uses git has `own_git` as well, for kernels that something else started (an
editor's, for one).
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

TELEMETRY_OFF: dict[str, str] = {
    "BENTOML_DO_NOT_TRACK": "True",
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "LAKEFS_STATS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "NML_DISABLE_USAGE_LOGGING": "1",
    "PHOENIX_TELEMETRY_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
    "WANDB_ERROR_REPORTING": "false",
    "WHYLOGS_NO_ANALYTICS": "True",
}

_TOOLS = (
    *("AIRFLOW_", "CLEARML_", "COMET_", "DATABRICKS_", "DVC_", "FEAST_", "GIT_", "GX_", "KFP_", "MLFLOW_"),
    *("OTEL_", "PREFECT_", "WANDB_"),
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


def own_git(home: Path, date: str) -> dict[str, str]:
    """Return the environment for the commands of a lesson that has a git repository of its own.

    No repository, identity, hook, signature or line end that is set for you reaches them, and none is changed. With
    author and date fixed, the same commit has the same hash on every machine.

    Args:
        home: A folder of the lesson; other tools' settings are looked for in it.
        date: Of all commits, such as `2024-01-31T12:00:00Z`.
    """
    away = set(foreign(os.environ))
    variables = {name: value for name, value in os.environ.items() if name not in away}
    # Beside its settings, git reads `git/ignore` and `git/attributes` of XDG_CONFIG_HOME.
    variables |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    variables |= {"XDG_CONFIG_HOME": str(home / "config"), "GIT_TERMINAL_PROMPT": "0"}
    for who in ("AUTHOR", "COMMITTER"):
        variables |= {f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@oakbank.example", f"GIT_{who}_DATE": date}
    return variables | TELEMETRY_OFF
