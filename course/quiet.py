"""Nothing the course starts reports home: every tool's telemetry is switched off here, and nowhere else."""

import os

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


def quiet() -> None:
    """Switch telemetry off for this process and all it starts, whatever was set before."""
    os.environ.update(TELEMETRY_OFF)
