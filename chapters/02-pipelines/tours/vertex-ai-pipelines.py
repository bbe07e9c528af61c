# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "google-cloud-aiplatform", "kfp", "setuptools<81",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of Vertex AI pipelines: the pipeline of lesson 08 as a job for Google's service, built and not sent.

    python3 bootstrap.py tour vertex-ai-pipelines

Needs no account up to the last step, which is the one that costs money.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what the client would put into your home too
os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "02-pipelines/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

import yaml  # noqa: E402
from google.auth.credentials import AnonymousCredentials  # noqa: E402
from google.cloud import aiplatform  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.pipelines.kubeflow import compile_pipeline  # noqa: E402


def solve(folder: Path) -> aiplatform.PipelineJob:
    """Compile the pipeline as lesson 08 does and build the job from it."""
    template = compile_pipeline(folder / "training.yaml")
    aiplatform.init(
        project="oakbank",
        location="europe-west4",
        staging_bucket="gs://oakbank-pipelines",
        credentials=AnonymousCredentials(),
    )
    return aiplatform.PipelineJob(
        display_name="oakbank-training",
        template_path=str(template),
        parameter_values={"lake": "/gcs/oakbank-lake", "as_of": 3},
        enable_caching=True,
    )


def main() -> None:
    """Run the tour."""
    tour = Tour("Vertex AI pipelines", "google-cloud-aiplatform", "kfp")
    with FOLDER as home:
        folder = Path(home)
        compiled = tour.plain("compiling the pipeline alone", lambda: compile_pipeline(folder / "plain.yaml"))
        job = tour.system_does(lambda: solve(folder)).to_dict()
        ours = yaml.safe_load(compiled.read_text(encoding="utf-8"))["root"]["dag"]["tasks"]
        tasks = job["pipelineSpec"]["root"]["dag"]["tasks"]
        if set(tasks) != set(ours) or any(
            set(tasks[name].get("dependentTasks", [])) != set(ours[name].get("dependentTasks", [])) for name in ours
        ):
            raise RuntimeError(f"the job's tasks are not those that were compiled: {sorted(tasks)}")
        for name, one in sorted(tasks.items()):
            after = ", ".join(one.get("dependentTasks", [])) or "nothing"
            tour.say(f"- {name} after {after}; at most {one.get('retryPolicy', {}).get('maxRetryCount', 0):g} retries")
        tour.say(f"runtime: {json.dumps(job['runtimeConfig'], sort_keys=True)}")
    tour.end(
        stores="artefacts in your bucket, their lineage in Vertex ML Metadata, logs in Cloud Logging",
        asks="a project with billing, a service account, a bucket, and an image that the service may pull",
        not_proven="nothing ran: the service may refuse the image, the bucket or the quota, and only it can say so",
        real=(
            "gcloud auth application-default login",
            "job.submit(service_account='trainer@oakbank.iam.gserviceaccount.com')",
        ),
        missing="the job was built from the real client and not submitted, since there is no project to bill",
    )


if __name__ == "__main__":
    main()
