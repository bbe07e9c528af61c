"""The syllabus: it covers what the course promises, agrees with the files, and refuses what it cannot use."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from authoring.repository import ROOT
from authoring.syllabus import Syllabus, SyllabusError, disagreements, load_syllabus
from tests.mini_course import LAB, LAB_TEXT, LESSON, NOTEBOOK, SYLLABUS, make_course, write

# What the course promises to teach, written down apart from the syllabus: chapter -> topics and systems.
PROMISED: dict[str, list[str]] = {
    "01-intro": [
        "evolution of ML in production", "what MLOps is", "benefits of MLOps", "lifecycle", "roles",
        "data engineering vs ML engineering", "model development", "MLOps vs DevOps", "what CI must test beyond code",
        "folder structure", "git", "environments", "seeds", "Jupyter notebooks", "version control for data",
        "version control for models", "DVC", "lakeFS", "Pachyderm", "training", "validation", "testing",
        "splits in time", "leakage", "scikit-learn", "XGBoost", "LightGBM", "image", "health check", "non-root",
        "Docker", "pod", "deployment", "service", "probes", "rollout", "job", "cron job", "kubectl",
    ],
    "02-pipelines": [
        "DAG", "idempotence", "caching", "retries", "backfill", "schemas", "incremental loads", "late data", "DuckDB",
        "contracts", "quarantine", "Great Expectations", "Pandera", "Deequ", "feature engineering pipelines",
        "point-in-time joins", "training/serving skew", "online store", "Feast", "Tecton", "runs", "metrics",
        "artefacts", "MLflow", "W&B", "TensorBoard", "Comet", "ClearML", "hyper-parameter search", "early stopping",
        "AutoML", "Optuna", "FLAML", "Ray Tune", "cross validation", "accuracy", "F1", "AUC", "calibration", "slices",
        "components", "compile", "schedule", "kfp", "Airflow", "Prefect", "Vertex AI pipelines", "errors", "health",
        "FastAPI", "uvicorn", "determinism", "growing data",
    ],
    "03-deploy": [
        "batch", "real-time", "streaming", "on-prem", "cloud", "edge", "serverless", "ONNX Runtime", "AWS Lambda",
        "Cloud Functions", "SageMaker", "Vertex AI", "Azure ML", "Flask", "BentoML", "TorchServe", "Triton", "KServe",
        "gates", "pipelines as code", "GitHub Actions", "GitLab CI", "Jenkins", "what a registry is", "staging",
        "approval", "SageMaker registry", "Spark", "Delta", "jobs as code", "databricks-sdk", "shadow", "canary",
        "blue/green", "rollback", "what to log", "alerts", "Prometheus", "Evidently", "Arize Phoenix",
        "WhyLabs whylogs", "Fiddler", "data drift", "concept drift", "delayed labels", "retraining triggers",
        "when not to retrain",
    ],
    "04-governance": [
        "who signs what", "audit logging that shows tampering", "from a decision back to code, data, model, approver",
        "OpenLineage", "fairness metrics", "sources of bias", "mitigation", "trade-offs", "ethics", "Fairlearn",
        "AIF360", "global explanations", "local explanations", "SHAP", "LIME", "counterfactuals", "GDPR", "HIPAA",
        "EU AI Act", "fair lending", "model risk", "model card", "technical file", "access requests",
        "erasure requests", "human review queue", "overrides", "selective labels", "feedback loops",
    ],
    "05-scale": [
        "many models", "affected-only builds", "contracts between teams", "progressive delivery", "plan", "apply",
        "policy", "checkov", "poisoned data", "pickle payloads", "supply chain", "SBOM", "pip-audit",
        "secrets management", "RBAC", "tokens", "OIDC", "micro-batching", "runtimes", "caching", "autoscaling",
        "queueing", "Ray Serve", "Ray", "Dask", "cost growth", "unit economics of a prediction", "right-sizing",
        "spot", "online learning", "River",
    ],
}  # fmt: skip
LABS = {
    "01-intro": ["01-reproducible-training", "01-containerise-the-model", "01-deploy-to-kubernetes"],
    "02-pipelines": ["02-validate-the-intake", "02-point-in-time-features", "02-training-pipeline",
                     "02-tracked-runs", "02-scoring-service"],
    "03-deploy": ["03-promotion-gate", "03-canary-and-rollback", "03-drift-detective", "03-on-call"],
    "04-governance": ["04-audit-and-lineage", "04-fairness-gate", "04-explain-a-decline", "04-erasure-request"],
    "05-scale": ["05-infrastructure", "05-secure-the-service", "05-scale-under-an-slo", "05-cost-model"],
}  # fmt: skip


def missing(syllabus: Syllabus) -> list[str]:
    """Return the promised topics, systems and labs that no row of the syllabus has, and lessons no lab measures."""
    gaps = []
    for chapter in syllabus.chapters:
        rows = [text for one in chapter.lessons for text in (*one.topics, *one.systems, *one.tours)]
        gaps += [f"{chapter.id}: {topic}" for topic in PROMISED[chapter.id] if topic not in rows]
        gaps += sorted(set(LABS[chapter.id]) ^ {lab.name for lab in chapter.labs})
        measured = {number for lab in chapter.labs for number in lab.lessons}
        gaps += [
            f"{chapter.id}: no lab measures {one.name}"
            for one in chapter.lessons
            if one.number not in measured and one.name not in UNMEASURED
        ]
    return gaps


# Lessons that no lab measures yet: what they teach is measured in another chapter, or nowhere, and says so here.
UNMEASURED = {"03-mlops-vs-devops", "02-where-a-model-runs", "03-serverless-and-platforms", "07-databricks",
              "01-ci-cd-at-scale", "07-scaling-training-and-batch", "09-continual-learning"}  # fmt: skip


def without(data: dict[str, Any], topic: str) -> dict[str, Any]:
    for chapter in data["chapters"]:
        for lesson in chapter["lessons"]:
            lesson["topics"] = [one for one in lesson["topics"] if one != topic] or ["something else"]
    return data


def raw() -> Any:
    return yaml.safe_load((ROOT / "course" / "syllabus.yml").read_text(encoding="utf-8"))


def test_every_promised_topic_has_a_lesson() -> None:
    assert missing(load_syllabus()) == []


@pytest.mark.parametrize("topic", ["leakage", "canary", "GDPR"])
def test_a_topic_without_a_lesson_is_found(topic: str) -> None:
    gaps = missing(Syllabus.model_validate(without(raw(), topic)))
    assert [gap.partition(": ")[2] for gap in gaps] == [topic]


def test_a_lesson_that_no_lab_measures_is_found() -> None:
    data = raw()
    data["chapters"][2]["labs"][2]["lessons"] = [9]
    assert missing(Syllabus.model_validate(data)) == ["03-deploy: no lab measures 10-drift"]


def test_a_lab_that_was_dropped_is_found() -> None:
    data = raw()
    del data["chapters"][1]["labs"][0]
    assert "02-validate-the-intake" in missing(Syllabus.model_validate(data))


def test_syllabus_and_files_agree() -> None:
    assert disagreements(load_syllabus()) == []


def test_the_table_says_the_minutes_that_the_lesson_says(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    first, second = load_syllabus(root).chapters[0].lessons
    assert first.minutes == 2
    assert second.minutes is None
    write(root, LESSON, "# %% [markdown]\n# 9 minutes to read.\n")
    assert load_syllabus(root).chapters[0].lessons[0].minutes == 9


def test_paths_of_a_lesson(tmp_path: Path) -> None:
    chapter = load_syllabus(make_course(tmp_path)).chapters[0]
    assert chapter.source(chapter.lessons[0]) == LESSON
    assert chapter.notebook(chapter.lessons[0]) == NOTEBOOK
    assert chapter.tours == ["a far system"]


def test_a_ready_lesson_without_its_file_is_found(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    assert disagreements(load_syllabus(root), root) == []
    (root / LESSON).unlink()
    (root / LAB_TEXT).unlink()
    assert disagreements(load_syllabus(root), root) == [
        f"{LESSON}: ready in the syllabus, but there is no such file",
        f"{LAB_TEXT}: ready in the syllabus, but there is no such file",
    ]


def test_a_file_without_its_row_is_found(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    write(root, "chapters/01-intro/lessons/09-extra.py", "# %%\n")
    write(root, "chapters/01-intro/lessons/02-second.py", "# %%\n")
    write(root, f"solutions/{LAB}-2/{LAB}-2.py", "# %%\n")
    assert disagreements(load_syllabus(root), root) == [
        "chapters/01-intro/lessons/02-second.py: written, but planned in the syllabus",
        "chapters/01-intro/lessons/09-extra.py: not in the syllabus",
        f"solutions/{LAB}-2/{LAB}-2.py: not in the syllabus",
    ]


def _lesson(data: dict[str, Any]) -> Any:
    return data["chapters"][0]["lessons"][0]


def _lab(data: dict[str, Any]) -> Any:
    return data["chapters"][0]["labs"][0]


@pytest.mark.parametrize(("change", "says"), [
    (lambda data: _lesson(data).update(number=3), "place, number and name must agree"),
    (lambda data: _lesson(data).update(name="05-first"), "place, number and name must agree"),
    (lambda data: _lesson(data).update(topics=[]), r"chapters.0.lessons.0.topics"),
    (lambda data: _lesson(data).update(systems=[]), r"chapters.0.lessons.0.systems"),
    (lambda data: _lesson(data).update(idea="Too short"), r"chapters.0.lessons.0.idea"),
    (lambda data: _lesson(data).update(status="done"), r"chapters.0.lessons.0.status"),
    (lambda data: _lesson(data).update(minutes=12), "minutes are the lesson's own"),
    (lambda data: _lesson(data).update(typed={"Rust": ["fn"]}), r"typed names \['Rust'\]"),
    (lambda data: _lesson(data).update(outcomes=[{"can": "count", "by": []}]), r"lessons.0.outcomes.0.by"),
    (lambda data: _lesson(data).update(colour="red"), r"chapters.0.lessons.0.colour"),
    (lambda data: _lab(data).update(lessons=[7]), r"measures lessons \[7\]"),
    (lambda data: _lab(data).update(lessons=[]), "measures no lesson"),
    (lambda data: _lab(data).update(minutes=20), "must take 45 to 90 minutes"),
    (lambda data: _lab(data).update(status="planned"), "leave its minutes null"),
    (lambda data: _lab(data).update(name="02-mini"), "must start with the chapter's number"),
    (lambda data: data["chapters"][0]["labs"].append(deepcopy(_lab(data))), "named twice"),
    (lambda data: data["chapters"][0].update(id="02-intro", labs=[]), "place and name must agree"),
    (lambda data: data["chapters"][0].update(outcomes=["One thing is not enough."]), "outcomes"),
    (lambda data: data.update(chapters=[]), "chapters"),
    (lambda data: data.pop("capstone"), "capstone"),
])  # fmt: skip
def test_a_syllabus_that_cannot_be_right_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    data = deepcopy(SYLLABUS)
    change(data)
    path = write(tmp_path, "course/syllabus.yml", yaml.safe_dump(data))
    with pytest.raises(SyllabusError, match=says) as error:
        load_syllabus(tmp_path)
    assert str(path) in str(error.value)


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SyllabusError, match="is missing"):
        load_syllabus(tmp_path)
    write(tmp_path, "course/syllabus.yml", "chapters: [")
    with pytest.raises(SyllabusError, match="not valid YAML"):
        load_syllabus(tmp_path)
    write(tmp_path, "course/syllabus.yml", "just words")
    with pytest.raises(SyllabusError):
        load_syllabus(tmp_path)
