# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "awslambdaric", "boto3", "moto",
#     "duckdb", "filelock", "lightgbm", "numpy", "onnx", "onnxmltools", "onnxruntime", "pandas<3", "pyarrow",
#     "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of AWS Lambda: the handler of lesson 03 under AWS's own runtime client, and its release under an alias.

    python3 bootstrap.py tour aws-lambda

No account: `awslambdaric` is the client of AWS's base images; the loop that gives it events is ours, made after the
documented Runtime API. The releases are records of moto, which plays AWS's control plane.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what a client would put into your home too
os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

import boto3  # noqa: E402
from lambda_api import RuntimeApi  # noqa: E402
from moto import mock_aws  # noqa: E402
from scoring import Task, in_new_process, prepare, same  # noqa: E402

from course.tour import Tour  # noqa: E402

HANDLER = ROOT / "chapters/03-deploy/tours/task/lambda_function.py"


def solve(task: Task, folder: Path) -> list[float]:
    """Start AWS's runtime client with the handler, and give it an event for each application."""
    shutil.copy(HANDLER, folder)
    api = RuntimeApi()
    environment = {
        **os.environ,
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "score",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_REGION": "eu-west-1",
        "LAMBDA_TASK_ROOT": str(folder),
        "PYTHONPATH": str(folder),
    }
    command = [sys.executable, "-m", "awslambdaric", "lambda_function.lambda_handler"]
    client = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        return [api.invoke({"features": row})["default_probability"] for row in task.rows]
    finally:
        client.kill()
        client.wait()


def release(task: Task) -> str:
    """Record two versions with moto, and an alias that sends a tenth of the calls to the newer one."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as package:
        package.write(HANDLER, "lambda_function.py")
        package.write(task.model, "model.onnx")
    os.environ |= {"AWS_ACCESS_KEY_ID": "t", "AWS_SECRET_ACCESS_KEY": "t", "AWS_DEFAULT_REGION": "eu-west-1"}
    with mock_aws(config={"lambda": {"use_docker": False}}):
        role = boto3.client("iam").create_role(RoleName="score", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        client = boto3.client("lambda")
        client.create_function(
            FunctionName="score",
            Runtime="python3.12",
            Role=role,
            Handler="lambda_function.lambda_handler",
            Code={"ZipFile": archive.getvalue()},
            MemorySize=512,
            Timeout=10,
        )
        first = client.publish_version(FunctionName="score")["Version"]
        client.update_function_code(FunctionName="score", ZipFile=archive.getvalue())
        second = client.publish_version(FunctionName="score")["Version"]
        client.create_alias(
            FunctionName="score",
            Name="champion",
            FunctionVersion=first,
            RoutingConfig={"AdditionalVersionWeights": {second: 0.1}},
        )
        alias = client.get_alias(FunctionName="score", Name="champion")
    weights = alias["RoutingConfig"]["AdditionalVersionWeights"]
    return f"recorded by moto: champion is version {alias['FunctionVersion']}, with shares of others {weights}"


def main() -> None:
    """Run the tour."""
    tour = Tour("AWS Lambda", "awslambdaric", "moto", "boto3", "onnxruntime")
    with FOLDER as home:
        folder = Path(home)
        task = prepare(folder)
        tour.plain("a new process that scores them", lambda: in_new_process(task))
        tour.say(same(task, tour.system_does(lambda: solve(task, folder))))
        tour.say(release(task))
    tour.say("present name: AWS Lambda (as of November 2026)")
    tour.end(
        stores="the archive of each published version, and aliases that point to one or two of them with weights",
        asks="a package below 250 MB unpacked or an image; a role; a wait at the first call of each process",
        not_proven="no call went through AWS: no sandbox, no cold start of theirs, no limit of memory or time; the "
        "loop of events is ours, and moto keeps records without running them",
        real=(
            "uv pip install --target build onnxruntime numpy && cp lambda_function.py model.onnx build/",
            "(cd build && zip -qr ../score.zip .)",
            "aws lambda create-function --function-name score --runtime python3.12 --role ARN --memory-size 512 "
            "--handler lambda_function.lambda_handler --zip-file fileb://score.zip",
            "aws lambda publish-version --function-name score && aws lambda create-alias --function-name score "
            "--name champion --function-version 1",
            "aws lambda invoke --function-name score:champion --payload fileb://event.json answer.json",
        ),
        missing="it is a service of AWS's: its runtime client ran the handler here",
    )


if __name__ == "__main__":
    main()
