"""Telemetry is off, whatever was set before, in tests and in the command."""

import os
import subprocess
import sys

import pytest

from base.process import ONE_THREAD
from base.quiet import TELEMETRY_OFF, quiet


def test_quiet_overrules_what_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in TELEMETRY_OFF:
        monkeypatch.setenv(name, "yes please")
    quiet()
    assert {name: os.environ[name] for name in TELEMETRY_OFF} == TELEMETRY_OFF


def test_tests_run_quiet_and_on_one_thread() -> None:
    wanted = TELEMETRY_OFF | ONE_THREAD
    assert {name: os.environ.get(name) for name in wanted} == wanted


def test_the_command_is_quiet_as_soon_as_it_is_imported() -> None:
    name = next(iter(TELEMETRY_OFF))
    program = f"import os, course.cli; print(os.environ[{name!r}])"
    environment = {**os.environ, name: "yes please"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == TELEMETRY_OFF[name]


def test_mlflow_believes_it() -> None:
    from mlflow.telemetry.utils import is_telemetry_disabled

    assert is_telemetry_disabled()
