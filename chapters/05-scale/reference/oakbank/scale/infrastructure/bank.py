"""What the bank wants to have: a lake, a queue of applications, a table of decisions, a role, a login.

`bank.tf` declares the same to OpenTofu, under the same addresses.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Attributes = Mapping[str, Any]
"""Of one resource, by OpenTofu's names; plain JSON values."""
Resources = dict[str, Attributes]
"""By address, such as `aws_s3_bucket.lake`, in an order in which they can be created."""

BANK_TF = Path(__file__).with_name("bank.tf")
BLOCKS = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
"""The four switches of S3's *Block Public Access*. All are on, or the bucket can be opened."""
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}],
}


def declare(database_password: str, lake_is_private: bool = True) -> Resources:
    """Return the bank's resources.

    Args:
        database_password: What the scorer logs in to its database with.
        lake_is_private: Whether the four switches of the lake's bucket are on.
    """
    return {
        "aws_s3_bucket.lake": {"bucket": "oakbank-lake"},
        "aws_s3_bucket_public_access_block.lake": {
            "bucket": "oakbank-lake",
            **dict.fromkeys(BLOCKS, lake_is_private),
        },
        "aws_sqs_queue.applications": {"name": "applications", "message_retention_seconds": 345_600},
        "aws_dynamodb_table.decisions": {
            "name": "decisions",
            "billing_mode": "PAY_PER_REQUEST",
            "hash_key": "application_id",
        },
        "aws_iam_role.scorer": {"name": "scorer", "assume_role_policy": json.dumps(_TRUST, separators=(",", ":"))},
        "aws_secretsmanager_secret.database": {"name": "database"},
        "aws_secretsmanager_secret_version.database": {"secret_id": "database", "secret_string": database_password},
    }
