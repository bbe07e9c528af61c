# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "google-cloud-aiplatform[prediction]", "setuptools<81",
#     "duckdb", "filelock", "lightgbm", "numpy", "onnx", "onnxmltools", "onnxruntime", "pandas<3", "pyarrow",
#     "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of Vertex AI: a custom prediction routine under Google's own model server.

    python3 bootstrap.py tour vertex-ai

No account and no container: the server of `google-cloud-aiplatform`, which runs in the image of such a routine, serves
it on this machine.
"""

import os
import sys
import tempfile
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what a client would put into your home too
os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

from scoring import Task, free_port, in_new_process, post, prepare, same, server  # noqa: E402

from course.tour import Tour  # noqa: E402

SERVER = "google.cloud.aiplatform.prediction.model_server:CprModelServer"
PREDICTOR = ROOT / "chapters/03-deploy/tours/task"


def solve(task: Task, folder: Path) -> list[float]:
    """Start the model server with the predictor, and send it the applications as Vertex AI would."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    (work := folder / "work").mkdir()
    environment = {
        **os.environ,
        "AIP_HTTP_PORT": str(port),
        "AIP_HEALTH_ROUTE": "/health",
        "AIP_PREDICT_ROUTE": "/predict",
        "AIP_STORAGE_URI": str(task.model.parent),
        "HANDLER_MODULE": "google.cloud.aiplatform.prediction.handler",
        "HANDLER_CLASS": "PredictionHandler",
        "PREDICTOR_MODULE": "vertex_predictor",
        "PREDICTOR_CLASS": "CreditPredictor",
        "PYTHONPATH": str(PREDICTOR),
    }
    # As the image's own start does, but for this machine only.
    command = [sys.executable, "-m", "uvicorn", SERVER, "--factory", "--host", "127.0.0.1", "--port", str(port)]
    with server(command, f"{address}/health", work, environment):
        return list(post(f"{address}/predict", {"instances": task.rows})["predictions"])


def main() -> None:
    """Run the tour."""
    tour = Tour("Vertex AI", "google-cloud-aiplatform", "onnxruntime")
    with FOLDER as home:
        folder = Path(home)
        (artefacts := folder / "model").mkdir()
        task = prepare(artefacts)
        tour.plain("a new process that scores them", lambda: in_new_process(task))
        tour.say(same(task, tour.system_does(lambda: solve(task, folder))))
    tour.say("present name: Gemini Enterprise Agent Platform (renamed in 2026); the package keeps its old name")
    tour.end(
        stores="artefacts in a bucket, an image in Artifact Registry, versions in a registry, endpoints with shares",
        asks="a project with billing, a bucket, an image, a service account; a machine by the hour per endpoint",
        not_proven="no image was built, no model uploaded, no endpoint created: only the protocol is theirs",
        real=(
            'local = LocalModel.build_cpr_model(".", IMAGE, predictor=CreditPredictor, requirements_path="req.txt")',
            "local.push_image()",
            'model = aiplatform.Model.upload(local_model=local, display_name="credit", artifact_uri="gs://BUCKET/m")',
            'endpoint = model.deploy(machine_type="n1-standard-2", traffic_percentage=10)',
            "endpoint.predict(instances=rows)",
        ),
        missing="it is a service of Google's: its model server ran the predictor here",
    )


if __name__ == "__main__":
    main()
