"""The Kubeflow pipeline is the same functions: the same bytes come out."""

from pathlib import Path

import pytest
import yaml

from oakbank.pipelines import TrainingConfig, run_training
from oakbank.pipelines.kubeflow import IMAGE, compile_pipeline, run_locally
from oakbank.world import Lake

STEPS = ("ingest", "validate", "features", "train", "evaluate")
ARTEFACTS = {
    "ingest": {"labelled": "labelled.parquet", "feed": "feed.json"},
    "validate": {"accepted": "accepted.parquet", "quarantined": "quarantined.parquet", "report": "report.json"},
    "features": {"matrix": "matrix.parquet"},
    "train": {"model": "model.txt", "candidate": "candidate.txt"},
    "evaluate": {"evaluation": "evaluation.json", "held_out": "holdout.parquet"},
}


def test_the_compiled_pipeline_has_the_five_steps(tmp_path: Path) -> None:
    compiled = yaml.safe_load(compile_pipeline(tmp_path / "pipeline.yaml").read_text())
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


def test_a_local_run_gives_the_same_bytes_and_writes_nowhere_else(
    history: Lake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    config = TrainingConfig(as_of=-1, window=7, holdout=1, seed=3, rounds=40)  # nothing as it is by default
    plain = run_training(config, history, tmp_path / "plain")
    auc = run_locally(
        history.folder, tmp_path / "kubeflow", as_of=-1, window=7, holdout=1, seed=3, rounds=40, label_delay=3
    )
    assert auc == plain.evaluation.auc
    (run,) = (tmp_path / "kubeflow").iterdir()
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
