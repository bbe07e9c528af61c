"""The pipeline is written twice, as a `Dag` and for Kubeflow; both are one graph of the same calls."""

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from oakbank.pipelines import TrainingConfig, components
from oakbank.pipelines import store as store_module
from oakbank.pipelines.dag import Dag, Step
from oakbank.pipelines.kubeflow import compile_pipeline
from oakbank.pipelines.steps import train
from oakbank.pipelines.training import train_chosen, training_dag
from oakbank.pipelines.tuning import tune
from oakbank.world import Lake

Plan = dict[str, Any]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "tuned"])
def tuned(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def plan(tuned: bool, tmp_path: Path) -> Plan:
    compiled: Plan = yaml.safe_load(compile_pipeline(tmp_path / "pipeline.yaml", tuned=tuned).read_text("utf-8"))
    return compiled


@pytest.fixture
def config(tuned: bool) -> TrainingConfig:
    return TrainingConfig(trials=inspect.signature(tune).parameters["trials"].default) if tuned else TrainingConfig()


def step_of(task: str) -> str:
    """Return the Dag's name of a task, e.g. `train` for `train-chosen-op`."""
    return task.removesuffix("-op").removesuffix("-chosen")


def edges_of_plan(plan: Plan) -> set[str]:
    """Return every artefact that goes from task to task, e.g. `validate.accepted -> features.accepted`."""
    return {
        f"{step_of(source['producerTask'])}.{source['outputArtifactKey']} -> {step_of(name)}.{argument}"
        for name, task in plan["root"]["dag"]["tasks"].items()
        for argument, artefact in task["inputs"].get("artifacts", {}).items()
        for source in [artefact["taskOutputArtifact"]]
    }


def edges_of_dag(dag: Dag) -> set[str]:
    """Return every output that goes from step to step, spelt as in `edges_of_plan`."""
    return {
        f"{source}.{output} -> {name}.{argument}"
        for name, step in dag.steps.items()
        for argument, (source, output) in step.reads.items()
    }


def settings(function: Any, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a step's parameters are in effect: as passed, else by the function's default."""
    # What `train_chosen` is given goes on to `train`, but for what the search has chosen.
    own, chosen = (train, {"params", "rounds"}) if function is train_chosen else (function, set())
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(own).parameters.items()
        if parameter.default is not parameter.empty and parameter.annotation not in (Path, Path | None)
    }
    merged = {name: value for name, value in {**defaults, **params}.items() if name not in chosen}
    return merged | {"params": merged["params"] or None} if "params" in merged else merged  # no parameters: {} or None


def calls_of_plan(plan: Plan, lake: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, SimpleNamespace]:
    """Return, by step, what each component would run when the pipeline is called with nothing but the lake."""
    calls: dict[str, SimpleNamespace] = {}

    def run_stored(store: str, name: str, function: Any, **call: Any) -> bool:
        for path in call["outputs"].values():
            path.write_text(json.dumps({"auc": 0.5}))
        calls[name] = SimpleNamespace(function=function, **call)
        return True

    monkeypatch.setattr(store_module, "run_stored", run_stored)
    given: dict[str, Any] = {"lake": str(lake.folder)}
    for name, parameter in plan["root"]["inputDefinitions"]["parameters"].items():
        if "defaultValue" in parameter:  # protobuf's only number is a float
            whole = parameter["parameterType"] == "NUMBER_INTEGER"
            given[name] = int(parameter["defaultValue"]) if whole else parameter["defaultValue"]
    for name, task in plan["root"]["dag"]["tasks"].items():
        component = plan["components"][f"comp-{name}"]
        artefacts = [
            *component.get("inputDefinitions", {}).get("artifacts", {}),
            *component["outputDefinitions"]["artifacts"],
        ]
        values = {
            argument: given[source["componentInputParameter"]]
            for argument, source in task["inputs"]["parameters"].items()
        }
        files = {
            argument: SimpleNamespace(path=str(folder / argument), metadata={}, log_metric=lambda *_: None)
            for argument in artefacts
        }
        getattr(components, name.replace("-", "_")).python_func(**values, **files)
    return calls


def differences(plan: Plan, calls: Mapping[str, SimpleNamespace], dag: Dag) -> Iterator[str]:
    """Yield each way in which the compiled pipeline is not the Dag."""
    yield from (f"edge {edge}" for edge in sorted(edges_of_plan(plan) ^ edges_of_dag(dag)))
    for task in plan["root"]["dag"]["tasks"].values():
        wires = {argument: wire["componentInputParameter"] for argument, wire in task["inputs"]["parameters"].items()}
        yield from (f"{argument} from {source}" for argument, source in wires.items() if argument != source)
    yield from (f"step {name}" for name in sorted(set(calls) ^ set(dag.steps)))
    for name in sorted(set(calls) & set(dag.steps)):
        call, step = calls[name], dag.steps[name]
        if call.function is not step.function:
            yield f"{name}: function {call.function.__name__}"
        for kind in ("inputs", "outputs"):
            if set(getattr(call, kind)) != set(getattr(step, kind)):
                yield f"{name}: {kind} {sorted(getattr(call, kind))}"
        for argument, files in step.inputs.items():
            if not isinstance(files, str) and call.inputs.get(argument) != files:
                yield f"{name}: files of {argument}"
        asked, wanted = settings(call.function, call.params), settings(step.function, step.params)
        for setting in sorted(set(asked) | set(wanted)):
            if asked.get(setting, "none") != wanted.get(setting, "none"):
                yield f"{name}: {setting} is {asked.get(setting)!r}, not {wanted.get(setting)!r}"


def test_the_compiled_pipeline_is_the_dag(
    plan: Plan, config: TrainingConfig, history: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = calls_of_plan(plan, history, tmp_path, monkeypatch)
    assert list(differences(plan, calls, training_dag(config, history))) == []


@pytest.mark.parametrize("name", ["half_life", "refit", "seed", "rounds", "holdout", "as_of", "window"])
def test_a_default_of_its_own_is_found(
    name: str, history: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = yaml.safe_load(compile_pipeline(tmp_path / "pipeline.yaml").read_text("utf-8"))
    calls = calls_of_plan(plan, history, tmp_path, monkeypatch)
    other: dict[str, Any] = {
        "half_life": 6.0,
        "refit": False,
        "seed": 1,
        "rounds": 9,
        "holdout": 3,
        "as_of": -1,
        "window": 6,
    }
    found = list(differences(plan, calls, training_dag(TrainingConfig(**{name: other[name]}), history)))
    assert found
    assert all(name in line or "files of" in line for line in found)


def test_an_edge_from_elsewhere_and_a_step_of_its_own_are_found(
    history: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = yaml.safe_load(compile_pipeline(tmp_path / "pipeline.yaml").read_text("utf-8"))
    calls, dag = calls_of_plan(plan, history, tmp_path, monkeypatch), training_dag(TrainingConfig(), history)
    judged = plan["root"]["dag"]["tasks"]["evaluate-op"]["inputs"]["artifacts"]["candidate"]["taskOutputArtifact"]
    judged["outputArtifactKey"] = "model"
    assert list(differences(plan, calls, dag)) == [
        "edge train.candidate -> evaluate.candidate",
        "edge train.model -> evaluate.candidate",
    ]
    judged["outputArtifactKey"] = "candidate"
    noted = Step("note", train, {"matrix": "features.matrix"}, {"model": "model", "candidate": "candidate"})
    assert list(differences(plan, calls, Dag([*dag.steps.values(), noted]))) == [
        "edge features.matrix -> note.matrix",
        "step note",
    ]
    tasks = plan["root"]["dag"]["tasks"]
    tasks["train-op"]["inputs"]["parameters"]["seed"]["componentInputParameter"] = "as_of"  # both are 0
    assert list(differences(plan, calls, dag)) == ["seed from as_of"]
    tasks["train-op"]["inputs"]["parameters"]["seed"]["componentInputParameter"] = "seed"
    calls["train"].params["spec"] = "german"
    assert list(differences(plan, calls, dag)) == ["train: spec is 'german', not 'oakbank'"]
