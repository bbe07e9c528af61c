# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "boto3", "moto[s3,sagemaker,server]",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of SageMaker's model registry: the promotions of lesson 06, as approvals of versions in a group.

    python3 bootstrap.py tour sagemaker-registry

No account: boto3, AWS's own client, talks to moto, a server that plays AWS on this machine. With `OAKBANK_REAL_AWS=1`
it talks to AWS, with the credentials and the region of your environment.
"""

import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = tempfile.TemporaryDirectory()  # nothing is read from your home, such as a profile of AWS
REAL = os.environ.get("OAKBANK_REAL_AWS") == "1"
if not REAL:
    os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name, "AWS_EC2_METADATA_DISABLED": "true"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "eu-central-1"}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
sys.path[1:1] = [str(ROOT / "chapters" / part / "reference") for part in ("01-intro", "02-pipelines")]

import boto3  # noqa: E402
import pandas as pd  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.pipelines import CreditModel, evaluate_model, feature_matrix  # noqa: E402
from oakbank.world import World  # noqa: E402

GROUP = "oakbank-credit"
BUCKET = "oakbank-models"


def candidates() -> dict[str, tuple[CreditModel, float]]:
    """Train the three models of lesson 06; return each with its profit on the hold-out, EUR."""
    world = World(seed=11, scenario="calm")

    def labelled(month: int) -> pd.DataFrame:
        return world.applications(month).assign(defaulted=world.truth(month)["would_default"])

    past, holdout = pd.concat([labelled(month) for month in range(-9, -3)]), labelled(-1).head(1000)
    found = {}
    for name, rounds in {"old": 5, "Ada": 30, "Bob": 10}.items():
        model = CreditModel.fit(feature_matrix(past), past["defaulted"], rounds=rounds)
        found[name] = model, evaluate_model(model, holdout).profit
    return found


def solve(sagemaker: Any, s3: Any, models: dict[str, tuple[CreditModel, float]]) -> dict[str, str]:
    """Register the models as packages of one group, each waiting for approval; return their ARNs."""
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    arns = {}
    for name, (model, profit) in models.items():
        s3.put_object(Bucket=BUCKET, Key=f"{name}.txt", Body=model.text().encode())
        container = {"Image": "oakbank/scoring:1", "ModelDataUrl": f"s3://{BUCKET}/{name}.txt"}
        arns[name] = sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["application/json"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            ModelPackageDescription=f"trained by {name}, {profit:,.0f} EUR on the hold-out",
        )["ModelPackageArn"]
    return arns


def decide(sagemaker: Any, arn: str, status: str, why: str) -> None:
    """Approve or reject a version."""
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status, ApprovalDescription=why)


def approved(sagemaker: Any) -> list[int]:
    """Return the approved versions, the newest first: the first of them is what a deployment takes."""
    found = sagemaker.list_model_packages(
        ModelPackageGroupName=GROUP, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )["ModelPackageSummaryList"]
    # Versions of the same second come in any order.
    return sorted((one["ModelPackageVersion"] for one in found), reverse=True)


def main() -> None:
    """Run the tour."""
    tour = Tour("SageMaker registry", "boto3", "moto")
    tour.say("The product: Amazon SageMaker AI, Model Registry (renamed from Amazon SageMaker in December 2024).")
    server = None
    if not REAL:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
    sagemaker, s3 = boto3.client("sagemaker"), boto3.client("s3")
    if not REAL:
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})

    models = tour.plain("training the three models", candidates)
    arns = tour.system_does(lambda: solve(sagemaker, s3, models))
    if (waiting := approved(sagemaker)) != []:
        raise RuntimeError(f"versions {waiting} are approved, and nobody has approved any")
    tour.say("three versions registered; none is approved, so a deployment finds nothing to take")

    decide(sagemaker, arns["old"], "Approved", "Grace: the first model")
    for name in ("Ada", "Bob"):  # both were measured against the old one
        if models[name][1] > models["old"][1]:
            decide(sagemaker, arns[name], "Approved", f"Grace: {models[name][1]:,.0f} EUR, better than the old one")
    if (versions := approved(sagemaker)) != [3, 2, 1]:
        raise RuntimeError(f"three versions should be approved, not {versions}")
    tour.say("approved: versions 3, 2 and 1. An approval is a mark on each version: any number may have it, and which")
    tour.say("one is in charge is a rule of your own, mostly 'the newest approved one': here Bob's, worse than Ada's.")
    told = sagemaker.describe_model_package(ModelPackageName=arns["Bob"])
    if "by Bob" not in told["ModelPackageDescription"] or "better than the old" not in told["ApprovalDescription"]:
        raise RuntimeError(f"the author or the reason did not come back: {told}")
    tour.say(f"version 3 says {told['ModelPackageDescription']!r}; approved because {told['ApprovalDescription']!r}")

    decide(sagemaker, arns["Bob"], "Rejected", "Grace: measured again, against version 2")
    if (versions := approved(sagemaker)) != [2, 1]:
        raise RuntimeError(f"versions 2 and 1 should be approved, not {versions}")
    tour.say("rejected: version 3. The way back is to take an approval away; the newest approved one is Ada's again.")
    tour.say("The update named no expected status either: compare and set under a lock, as in the lesson.")
    tour.say(
        "\nwith an account you would:\n"
        "    export OAKBANK_REAL_AWS=1 AWS_DEFAULT_REGION=...  # and make the bucket\n"
        "    let IAM give `sagemaker:UpdateModelPackage` to the approvers' role only, not to the one that trains\n"
        "    let EventBridge start the deployment on 'SageMaker Model Package State Change'\n"
        "    give `create_model` the package's ARN, so that what is deployed is what was approved\n"
        "    aws sagemaker delete-model-package ...; aws sagemaker delete-model-package-group ...  # afterwards"
    )
    if server:
        server.stop()
    tour.end(
        stores="a group; per version the image, the model's place in S3, measures, properties, status and its reason",
        asks="an account, a bucket, a role; and a rule of your own for which approved version is in charge",
        not_proven="moto checks no rights, starts no deployment on an approval, looks for no image, and forgets"
        " CustomerMetadataProperties, which AWS keeps per version",
        real=("export OAKBANK_REAL_AWS=1", "python3 bootstrap.py tour sagemaker-registry"),
        missing="" if REAL else "it ran against moto, since there is no account to bill",
    )


if __name__ == "__main__":
    main()
