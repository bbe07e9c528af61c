# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "azure-ai-ml", "azureml-inference-server-http", "setuptools<81",
#     "duckdb", "filelock", "lightgbm", "numpy", "onnx", "onnxmltools", "onnxruntime", "pandas<3", "pyarrow",
#     "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of Azure ML: a scoring script under Azure's own inference server, and the deployment as validated YAML.

    python3 bootstrap.py tour azure-ml

No account: the server is the one that runs in a managed online endpoint; the YAML is read by SDK v2.
"""

import os
import shutil
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

SCRIPT = ROOT / "chapters/03-deploy/tours/task/azure_score.py"
ENDPOINT = """\
name: oakbank-credit
auth_mode: aad_token
"""
DEPLOYMENT = """\
name: blue
endpoint_name: oakbank-credit
model: {path: model.onnx}
code_configuration: {code: ., scoring_script: score.py}
environment: {image: mcr.microsoft.com/azureml/inference-base-2204:latest, conda_file: conda.yml}
instance_type: Standard_DS3_v2
instance_count: 1
"""


def solve(task: Task, folder: Path) -> list[float]:
    """Serve the scoring script, and send it the applications."""
    shutil.copy(SCRIPT, folder / "score.py")
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [str(Path(sys.executable).with_name("azmlinfsrv")), "--entry_script", "score.py"]
    command += ["--port", str(port), "--worker_count", "1"]
    environment = {**os.environ, "AZUREML_MODEL_DIR": str(folder)}
    with server(command, address, folder, environment):
        return list(post(f"{address}/score", {"rows": task.rows})["default_probabilities"])


def validate(folder: Path) -> str:
    """Let SDK v2 read the endpoint and the deployment, and a deployment with a fault."""
    from azure.ai.ml import load_online_deployment, load_online_endpoint
    from azure.ai.ml.exceptions import ValidationException
    from marshmallow import ValidationError

    (folder / "conda.yml").write_text("dependencies: [python=3.12, pip: [numpy, onnxruntime]]\n")
    (folder / "endpoint.yml").write_text(ENDPOINT)
    (folder / "deployment.yml").write_text(DEPLOYMENT)
    endpoint = load_online_endpoint(folder / "endpoint.yml")
    deployment = load_online_deployment(folder / "deployment.yml")
    (folder / "wrong.yml").write_text(DEPLOYMENT.replace("instance_count: 1", "instance_count: some"))
    try:
        load_online_deployment(folder / "wrong.yml")
    except (ValidationException, ValidationError):
        return f"SDK v2 reads endpoint {endpoint.name} and deployment {deployment.name}, and refuses a count of `some`"
    raise RuntimeError("SDK v2 read a deployment with an instance_count of `some`")


def main() -> None:
    """Run the tour."""
    tour = Tour("Azure ML", "azureml-inference-server-http", "azure-ai-ml", "onnxruntime")
    with FOLDER as home:
        folder = Path(home)
        task = prepare(folder)
        tour.plain("a new process that scores them", lambda: in_new_process(task))
        tour.say(same(task, tour.system_does(lambda: solve(task, folder))))
        tour.say(validate(folder))
    tour.say("present name: Azure Machine Learning, SDK v2 (support of SDK v1 ended on 30 June 2026)")
    tour.end(
        stores="models and environments by version in a workspace; an endpoint with deployments and their shares",
        asks="a subscription, a resource group, a workspace; two YAML files; machines that run by the hour",
        not_proven="no endpoint was created: no image built, no identity checked, no traffic split, no scaling",
        real=(
            "az login && az extension add --name ml",
            "az configure --defaults group=GROUP workspace=WORKSPACE",
            "az ml online-endpoint create --file endpoint.yml",
            "az ml online-deployment create --file deployment.yml --all-traffic",
            "az ml online-endpoint invoke --name oakbank-credit --request-file rows.json",
        ),
        missing="it is a service of Microsoft's: its inference server ran the script here",
    )


if __name__ == "__main__":
    main()
