"""The clock: a night is a month of the bank, and Kubeflow's client takes what it is asked."""

import inspect
from pathlib import Path

import kfp
import pytest
import yaml

from oakbank.pipelines.kubeflow import compile_pipeline
from oakbank.pipelines.schedule import SCHEDULED_DAY, month_of, recurring_run
from oakbank.world import World


@pytest.mark.parametrize("month", [-12, -1, 0, 11, 12])
def test_a_day_lies_in_the_month_in_which_the_world_says_so(month: int) -> None:
    days = World(1).applications(month)["applied_on"]
    assert {month_of(str(days.min())), month_of(str(days.max()))} == {month}


@pytest.mark.parametrize("day", ["", "2024", "2024-13-01", "2024-02-30", "yesterday", SCHEDULED_DAY])
def test_what_is_no_day_says_so(day: str) -> None:
    with pytest.raises(ValueError, match="must be like 2024-01-31"):
        month_of(day)


def test_a_recurring_run_is_what_the_client_takes_and_the_pipeline_knows(tmp_path: Path) -> None:
    path = compile_pipeline(tmp_path / "pipeline.yaml")
    asked = recurring_run(path, "lake", "store")
    inspect.signature(kfp.Client.create_recurring_run).bind(None, experiment_id="1", **asked)
    parameters = yaml.safe_load(path.read_text())["root"]["inputDefinitions"]["parameters"]
    assert set(asked["params"]) <= set(parameters)
    # The controller replaces its macros in texts only.
    assert parameters["scheduled"]["parameterType"] == "STRING"
    assert {name for name, parameter in parameters.items() if "defaultValue" not in parameter} <= set(asked["params"])
    with pytest.raises(ValueError, match="six fields, seconds first"):
        recurring_run(path, "lake", "store", cron="0 2 * * *")
