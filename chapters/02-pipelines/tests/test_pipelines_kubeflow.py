"""The Kubeflow pipeline is the same functions: the same bytes come out, and what died goes on where it was."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from oakbank.pipelines import TrainingConfig, run_training
from oakbank.pipelines.kubeflow import IMAGE, compile_pipeline, run_locally, steps_run
from oakbank.world import Lake

STEPS = ("ingest", "validate", "features", "train", "evaluate", "assess")
ARTEFACTS = {
    "ingest": {"labelled": "labelled.parquet", "feed": "feed.json"},
    "validate": {"accepted": "accepted.parquet", "quarantined": "quarantined.parquet", "report": "report.json"},
    "features": {"matrix": "matrix.parquet"},
    "train": {"model": "model.txt", "candidate": "candidate.txt"},
    "evaluate": {"evaluation": "evaluation.json", "held_out": "holdout.parquet"},
    "assess": {"report": "assessment.json"},
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict:
    path = compile_pipeline(tmp_path_factory.mktemp("compiled") / "pipeline.yaml")
    return yaml.safe_load(path.read_text())


def test_the_compiled_pipeline_has_every_step(compiled: dict) -> None:
    assert compiled["pipelineInfo"]["name"] == "oakbank-training"
    tasks = compiled["root"]["dag"]["tasks"]
    assert set(tasks) == {f"{step}-op" for step in STEPS}
    assert tasks["train-op"]["dependentTasks"] == ["features-op"]
    executors = compiled["deploymentSpec"]["executors"].values()
    assert {executor["container"]["image"] for executor in executors} == {IMAGE}
    assert "pip install" not in str(compiled)  # the image has the package
    defaults = {
        name: parameter.get("defaultValue")
        for name, parameter in compiled["root"]["inputDefinitions"]["parameters"].items()
    }
    config = TrainingConfig()
    for name in ("as_of", "window", "holdout", "seed", "rounds"):
        assert defaults[name] == getattr(config, name)


def test_the_scheduler_is_told_how_often_to_retry_what_to_cache_and_how_much_a_step_may_take(compiled: dict) -> None:
    tasks = compiled["root"]["dag"]["tasks"]
    for task in tasks.values():
        assert task["retryPolicy"]["maxRetryCount"] == 3
        assert task["retryPolicy"]["backoffDuration"] == "60s"
    cached = {name for name, task in tasks.items() if task["cachingOptions"].get("enableCache")}
    # The scheduler's key for ingest would be the name of the lake, and last night's rows would come out.
    assert cached == {f"{step}-op" for step in STEPS} - {"ingest-op"}
    for executor in compiled["deploymentSpec"]["executors"].values():
        assert {"resourceCpuLimit", "resourceMemoryLimit"} <= set(executor["container"]["resources"])


def test_the_tuned_pipeline_searches_before_it_trains(tmp_path: Path) -> None:
    compiled = yaml.safe_load(compile_pipeline(tmp_path / "pipeline.yaml", tuned=True).read_text())
    tasks = compiled["root"]["dag"]["tasks"]
    assert set(tasks) == {f"{step}-op" for step in STEPS if step != "train"} | {"tune-op", "train-chosen-op"}
    assert tasks["train-chosen-op"]["dependentTasks"] == ["features-op", "tune-op"]
    assert "trials" in compiled["root"]["inputDefinitions"]["parameters"]
    assert all(task["retryPolicy"]["maxRetryCount"] == 3 for task in tasks.values())


def test_a_tuned_run_gives_the_same_bytes(history: Lake, tmp_path: Path) -> None:
    config = TrainingConfig(as_of=-1, window=6, holdout=1, seed=2, trials=2)
    plain = run_training(config, history, tmp_path / "plain")
    root, store = tmp_path / "kubeflow", tmp_path / "store"
    run_locally(history.folder, root, as_of=-1, window=6, holdout=1, seed=2, trials=2, store=store)
    (run,) = root.iterdir()
    assert (run / "tune-op" / "chosen").read_bytes() == (plain.folder / "tune" / "chosen.json").read_bytes()
    for name in ("model", "candidate"):
        written = (run / "train-chosen-op" / name).read_bytes()
        assert written == (plain.folder / "train" / f"{name}.txt").read_bytes()


def kill_in_step(step: str, lake: Path, root: Path, store: Path, settings: dict[str, int]) -> None:
    """Run the pipeline in a process of its own, and kill it and all it started while a step is at work."""
    code = (
        "from oakbank.pipelines.kubeflow import run_locally\n"
        f"run_locally({str(lake)!r}, {str(root)!r}, store={str(store)!r}, **{settings!r})\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not list(store.glob(f"{step}/*/.{step}.*.tmp")):
        assert process.poll() is None, process.stderr.read() if process.stderr else b""
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_a_run_killed_while_it_trained_goes_on_there_and_ends_with_the_same_bytes(
    history: Lake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    settings = {"as_of": -1, "window": 7, "holdout": 1, "seed": 3, "rounds": 400}  # nothing as it is by default
    plain = run_training(TrainingConfig(**settings), history, tmp_path / "plain")
    root, store = tmp_path / "kubeflow", tmp_path / "store"

    kill_in_step("train", history.folder, root, store, settings)
    assert steps_run(root) == {"ingest": True, "validate": True, "features": True}
    assert not list(store.glob("train/*/train"))
    (died,) = root.iterdir()

    # The same night, said as a scheduler says it: as_of -1 is the month before Oakbank's first, January 2024.
    again = {name: value for name, value in settings.items() if name != "as_of"} | {"scheduled": "2023-12-05"}
    auc = run_locally(history.folder, root, store=store, label_delay=3, **again)
    assert auc == plain.evaluation.auc
    assert steps_run(root) == {step: step in ("train", "evaluate", "assess") for step in STEPS}
    assert not list(store.glob("*/*/.*.tmp"))
    (run,) = set(root.iterdir()) - {died}
    assert {path.name for path in run.iterdir()} == {f"{step}-op" for step in STEPS}
    for step, outputs in ARTEFACTS.items():
        for argument, file in outputs.items():
            assert (run / f"{step}-op" / argument).read_bytes() == (plain.folder / step / file).read_bytes()
    assert list(here.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_step_that_fails_says_why(history: Lake, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ingest-op") as error:
        run_locally(history.folder, tmp_path / "kubeflow", as_of=-9)
    assert "no outcomes known before month -9: publish history first" in str(error.value)
    assert steps_run(tmp_path / "kubeflow") == {}
    with pytest.raises(FileNotFoundError, match="run the pipeline first"):
        steps_run(tmp_path / "nothing")
