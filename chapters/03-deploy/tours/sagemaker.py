# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "boto3", "moto[s3,sagemaker]", "sagemaker-inference", "setuptools<81",
#     "duckdb", "filelock", "lightgbm", "numpy", "onnx", "onnxmltools", "onnxruntime", "pandas<3", "pyarrow",
#     "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of SageMaker: inference code under AWS's own toolkit; an endpoint and a pipeline as records.

    python3 bootstrap.py tour sagemaker

No account: `sagemaker-inference` is the toolkit inside AWS's containers, which loads the code and calls it; the model
server around it is Java's and is not started. Endpoint and pipeline are records of moto, which plays the control plane.
"""

import json
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what a client would put into your home too
os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

import boto3  # noqa: E402
from moto import mock_aws  # noqa: E402
from scoring import Task, in_new_process, prepare, same  # noqa: E402

from course.tour import Tour  # noqa: E402

CODE = ROOT / "chapters/03-deploy/tours/task/sagemaker_code.py"
IMAGE = "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com/oakbank:1"


class Invocation:
    """What AWS's model server tells the toolkit of a request: where the model is, and the headers."""

    def __init__(self, model_dir: Path) -> None:
        self.system_properties = {"model_dir": str(model_dir)}
        self.request_processor = [self]
        self.status = 200

    def get_request_properties(self) -> dict[str, str]:
        """Return the headers."""
        return {"Content-Type": "application/json", "Accept": "application/json"}

    def set_response_content_type(self, _: int, kind: str) -> None:
        """Take the type of the answer."""
        assert kind == "application/json"

    def set_response_status(self, code: int, phrase: str) -> None:
        """Take the status of an answer that is none."""
        self.status = code


def solve(task: Task, folder: Path) -> list[float]:
    """Let the toolkit load the code and the model, and answer a request for each application."""
    (code := folder / "code").mkdir()
    shutil.copy(CODE, code / "inference.py")
    sys.path.insert(1, str(code))
    os.environ["SAGEMAKER_PROGRAM"] = "inference.py"
    from sagemaker_inference.transformer import Transformer

    transformer, found = Transformer(), []
    for row in task.rows:
        invocation = Invocation(task.model.parent)
        (answer,) = transformer.transform([{"body": json.dumps([row]).encode()}], invocation)
        if invocation.status != 200:
            raise RuntimeError(answer)
        found += json.loads(answer)
    return found


def control_plane(task: Task, folder: Path) -> list[str]:
    """Record a model, an endpoint that moves a tenth of the traffic, and a pipeline; return what is recorded."""
    archive = folder / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as stream:
        stream.add(task.model, "model.onnx")
        stream.add(CODE, "code/inference.py")
    os.environ |= {"AWS_ACCESS_KEY_ID": "t", "AWS_SECRET_ACCESS_KEY": "t", "AWS_DEFAULT_REGION": "eu-west-1"}
    role = "arn:aws:iam::123456789012:role/oakbank"
    with mock_aws():
        s3, client = boto3.client("s3"), boto3.client("sagemaker")
        s3.create_bucket(Bucket="oakbank", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        s3.upload_file(str(archive), "oakbank", "credit/model.tar.gz")
        container = {"Image": IMAGE, "ModelDataUrl": "s3://oakbank/credit/model.tar.gz"}
        variants: list[Any] = []
        for name, weight in (("champion", 0.9), ("challenger", 0.1)):
            client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=role)
            variant = {"VariantName": name, "ModelName": name, "InstanceType": "ml.t2.medium"}
            variants.append({**variant, "InitialInstanceCount": 1, "InitialVariantWeight": weight})
        client.create_endpoint_config(EndpointConfigName="credit", ProductionVariants=variants)
        client.create_endpoint(EndpointName="credit", EndpointConfigName="credit")
        moved = [{"VariantName": "challenger", "DesiredWeight": 0.5}]
        client.update_endpoint_weights_and_capacities(EndpointName="credit", DesiredWeightsAndCapacities=moved)
        endpoint = client.describe_endpoint(EndpointName="credit")
        steps = [{"Name": "evaluate", "Type": "Processing", "Arguments": {"RoleArn": role}}]
        definition = json.dumps({"Version": "2020-12-01", "Steps": steps})
        client.create_pipeline(PipelineName="credit", PipelineDefinition=definition, RoleArn=role)
        started = client.start_pipeline_execution(PipelineName="credit")["PipelineExecutionArn"]
        execution = client.describe_pipeline_execution(PipelineExecutionArn=started)
    weights = {one["VariantName"]: one["CurrentWeight"] for one in endpoint["ProductionVariants"]}
    return [
        f"recorded by moto: endpoint {endpoint['EndpointStatus']}, weights {weights}",
        f"recorded by moto: pipeline {execution['PipelineExecutionStatus']}, though no step ran",
    ]


def main() -> None:
    """Run the tour."""
    tour = Tour("SageMaker", "sagemaker-inference", "moto", "boto3", "onnxruntime")
    with FOLDER as home:
        folder = Path(home)
        task = prepare(folder)
        tour.plain("a new process that scores them", lambda: in_new_process(task))
        tour.say(same(task, tour.system_does(lambda: solve(task, folder))))
        for line in control_plane(task, folder):
            tour.say(line)
    tour.say("present name: Amazon SageMaker AI (since December 2024; `SageMaker` alone is now the platform around it)")
    tour.end(
        stores="an archive of model and code in S3; models, endpoint configurations, endpoints, pipelines by name",
        asks="a role, a bucket, an image; a machine by the hour for each variant, whether it is asked or not",
        not_proven="no endpoint answered, no step ran, no weight moved a request; moto says Succeeded without running",
        real=(
            "aws s3 cp model.tar.gz s3://BUCKET/credit/",
            "aws sagemaker create-model --model-name champion --execution-role-arn ARN --primary-container "
            "Image=IMAGE,ModelDataUrl=s3://BUCKET/credit/model.tar.gz",
            "aws sagemaker create-endpoint-config --endpoint-config-name credit --production-variants file://v.json",
            "aws sagemaker create-endpoint --endpoint-name credit --endpoint-config-name credit",
            "aws sagemaker-runtime invoke-endpoint --endpoint-name credit --content-type application/json "
            "--body fileb://rows.json answer.json",
        ),
        missing="it is a service of AWS's: its inference toolkit ran the code here",
    )


if __name__ == "__main__":
    main()
