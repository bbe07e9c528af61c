"""How one resource of each kind is read, made, changed and deleted through the AWS API.

An entry looks at the attributes that the bank declares, and leaves all others as AWS sets them.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from oakbank.scale.infrastructure.bank import BLOCKS, Attributes

_ABSENT = {
    *("404", "NoSuchBucket", "NoSuchPublicAccessBlockConfiguration", "ResourceNotFoundException", "NoSuchEntity"),
    *("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"),
}


@dataclass(frozen=True)
class Kind:
    """What a provider knows of one kind of resource. Each function takes its attributes.

    Args:
        key: The attribute that names one among its kind; another value is another resource.
        read: Returns the attributes as they are; raises the API's "not found" where there is none.
        create: Makes it.
        update: Gives it these attributes.
        delete: Removes it.
    """

    key: str
    read: Callable[[Attributes], dict[str, Any]]
    create: Callable[[Attributes], object]
    update: Callable[[Attributes], object]
    delete: Callable[[Attributes], object]


def _api(service: str) -> Any:
    return _client(service, os.environ.get("AWS_ENDPOINT_URL"))


@cache
def _client(service: str, endpoint: str | None) -> Any:
    return boto3.client(service, endpoint_url=endpoint)  # takes longer than most calls


def _read_bucket(a: Attributes) -> dict[str, Any]:
    _api("s3").head_bucket(Bucket=a["bucket"])
    return {"bucket": a["bucket"]}


def _create_bucket(a: Attributes) -> None:
    s3 = _api("s3")
    where = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=a["bucket"], CreateBucketConfiguration=where)


def _flag(name: str) -> str:
    """Return what the API calls `block_public_acls`: `BlockPublicAcls`."""
    return name.title().replace("_", "")


def _read_block(a: Attributes) -> dict[str, Any]:
    found = _api("s3").get_public_access_block(Bucket=a["bucket"])["PublicAccessBlockConfiguration"]
    return {"bucket": a["bucket"], **{name: found[_flag(name)] for name in BLOCKS}}


def _put_block(a: Attributes) -> None:
    flags = {_flag(name): a[name] for name in BLOCKS}
    _api("s3").put_public_access_block(Bucket=a["bucket"], PublicAccessBlockConfiguration=flags)


def _url(a: Attributes) -> str:
    return str(_api("sqs").get_queue_url(QueueName=a["name"])["QueueUrl"])


def _read_queue(a: Attributes) -> dict[str, Any]:
    names = ["MessageRetentionPeriod"]
    found = _api("sqs").get_queue_attributes(QueueUrl=_url(a), AttributeNames=names)["Attributes"]
    return {"name": a["name"], "message_retention_seconds": int(found[names[0]])}


def _retention(a: Attributes) -> dict[str, str]:
    return {"MessageRetentionPeriod": str(a["message_retention_seconds"])}


def _read_table(a: Attributes) -> dict[str, Any]:
    table = _api("dynamodb").describe_table(TableName=a["name"])["Table"]
    billing, key = table["BillingModeSummary"]["BillingMode"], table["KeySchema"][0]["AttributeName"]
    return {"name": a["name"], "billing_mode": billing, "hash_key": key}


def _create_table(a: Attributes) -> None:
    _api("dynamodb").create_table(
        TableName=a["name"],
        BillingMode=a["billing_mode"],
        AttributeDefinitions=[{"AttributeName": a["hash_key"], "AttributeType": "S"}],
        KeySchema=[{"AttributeName": a["hash_key"], "KeyType": "HASH"}],
    )


def _update_table(a: Attributes) -> None:
    if _read_table(a)["hash_key"] != a["hash_key"]:
        raise ValueError(f"the key of table {a['name']} cannot change: delete the table first, with all it holds")
    _api("dynamodb").update_table(TableName=a["name"], BillingMode=a["billing_mode"])


def _read_role(a: Attributes) -> dict[str, Any]:
    trust = _api("iam").get_role(RoleName=a["name"])["Role"]["AssumeRolePolicyDocument"]
    return {"name": a["name"], "assume_role_policy": json.dumps(trust, separators=(",", ":"))}


def _trust(a: Attributes, argument: str) -> dict[str, Any]:
    return {"RoleName": a["name"], argument: a["assume_role_policy"]}


def _read_secret(a: Attributes) -> dict[str, Any]:
    return {"name": _api("secretsmanager").describe_secret(SecretId=a["name"])["Name"]}


def _read_version(a: Attributes) -> dict[str, Any]:
    found = _api("secretsmanager").get_secret_value(SecretId=a["secret_id"])
    return {"secret_id": a["secret_id"], "secret_string": found["SecretString"]}


def _put_version(a: Attributes) -> None:
    _api("secretsmanager").put_secret_value(SecretId=a["secret_id"], SecretString=a["secret_string"])


def _nothing(a: Attributes) -> None:
    """A kind whose only attribute is its name has nothing to change; a secret's value goes with the secret."""
    del a


KINDS: Mapping[str, Kind] = {
    "aws_s3_bucket": Kind(
        "bucket", _read_bucket, _create_bucket, _nothing, lambda a: _api("s3").delete_bucket(Bucket=a["bucket"])
    ),
    "aws_s3_bucket_public_access_block": Kind(
        "bucket",
        _read_block,
        _put_block,
        _put_block,
        lambda a: _api("s3").delete_public_access_block(Bucket=a["bucket"]),
    ),
    "aws_sqs_queue": Kind(
        "name",
        _read_queue,
        lambda a: _api("sqs").create_queue(QueueName=a["name"], Attributes=_retention(a)),
        lambda a: _api("sqs").set_queue_attributes(QueueUrl=_url(a), Attributes=_retention(a)),
        lambda a: _api("sqs").delete_queue(QueueUrl=_url(a)),
    ),
    "aws_dynamodb_table": Kind(
        "name",
        _read_table,
        _create_table,
        _update_table,
        lambda a: _api("dynamodb").delete_table(TableName=a["name"]),
    ),
    "aws_iam_role": Kind(
        "name",
        _read_role,
        lambda a: _api("iam").create_role(**_trust(a, "AssumeRolePolicyDocument")),
        lambda a: _api("iam").update_assume_role_policy(**_trust(a, "PolicyDocument")),
        lambda a: _api("iam").delete_role(RoleName=a["name"]),
    ),
    "aws_secretsmanager_secret": Kind(
        "name",
        _read_secret,
        lambda a: _api("secretsmanager").create_secret(Name=a["name"]),
        _nothing,
        lambda a: _api("secretsmanager").delete_secret(SecretId=a["name"], ForceDeleteWithoutRecovery=True),
    ),
    "aws_secretsmanager_secret_version": Kind("secret_id", _read_version, _put_version, _put_version, _nothing),
}


def kind_of(address: str) -> Kind:
    """Return the kind of the resource at an address such as `aws_sqs_queue.applications`.

    Raises:
        ValueError: There is no such kind here.
    """
    kind = address.split(".", 1)[0]
    if kind not in KINDS:
        raise ValueError(f"{address}: kind {kind!r} is not one of {', '.join(KINDS)}")
    return KINDS[kind]


def look(address: str, attributes: Attributes) -> dict[str, Any] | None:
    """Return the attributes of a resource as they are; None if it does not exist."""
    try:
        return kind_of(address).read(attributes)
    except ClientError as error:
        if error.response["Error"]["Code"] in _ABSENT:
            return None
        raise
