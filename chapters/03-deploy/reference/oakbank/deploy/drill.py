"""Drills: the consumer as a process of its own, which can be killed."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from oakbank.deploy.broker import URL_VARIABLE
from oakbank.deploy.store import DecisionStore


def run_consumer(
    registry: str | Path, store: str | Path, url: str, *, kill: bool = False, ack_wait: float = 2.0
) -> pd.DataFrame:
    """Run `python -m oakbank.deploy.stream` until no message waits, or kill it.

    Args:
        registry: Folder of the model registry.
        store: File of the decisions.
        url: Of the broker.
        kill: End it with SIGKILL as soon as it has written new decisions: the way a crash ends it.
        ack_wait: Seconds until the broker delivers again.

    Returns:
        All decisions in the store then, columns as `oakbank.world.DECISIONS`.

    Raises:
        RuntimeError: The process ended with an error, or before it could be killed; the message holds what it said.
    """
    decided = DecisionStore(store)
    before = len(decided.decisions())
    command = [sys.executable, "-P", "-m", "oakbank.deploy.stream", "--registry", str(registry), "--store", str(store)]
    command += ["--ack-wait", str(ack_wait), "--until-empty"]
    environment = os.environ | {URL_VARIABLE: url}
    process = subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    while kill and process.poll() is None:
        if len(decided.decisions()) > before:
            process.kill()
            break
        time.sleep(0.005)
    told, _ = process.communicate()
    if (process.returncode == 0) == kill or process.returncode > 0:
        raise RuntimeError(f"the consumer ended with {process.returncode}: {told}")
    decisions = decided.decisions()
    decided.close()
    return decisions
