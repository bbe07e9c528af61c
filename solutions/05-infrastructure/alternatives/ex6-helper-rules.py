# ---
# answers: ex6
# why: helper rules that take arguments, and one sentence for all flags
# ---
def policy():
    return """
package bank

import rego.v1

deny contains message if {
    resource := input.resource_changes[_]
    resource.type == "aws_s3_bucket_public_access_block"
    resource.change.actions[_] != "delete"
    after := resource.change.after
    not all_on(after)
    message := concat(" ", [resource.address, "can be opened"])
}

all_on(after) if {
    after.block_public_acls == true
    after.block_public_policy == true
    after.ignore_public_acls == true
    after.restrict_public_buckets == true
}

has_block(bucket) if {
    resource := input.resource_changes[_]
    resource.type == "aws_s3_bucket_public_access_block"
    resource.change.actions[_] == "create"
    resource.change.after.bucket == bucket
}

deny contains message if {
    resource := input.resource_changes[_]
    resource.type == "aws_s3_bucket"
    resource.change.actions[_] == "create"
    not has_block(resource.change.after.bucket)
    message := concat(" ", [resource.address, "is not blocked"])
}

deny contains message if {
    resource := input.resource_changes[_]
    resource.type == ["aws_s3_bucket", "aws_dynamodb_table"][_]
    resource.change.actions[_] == "delete"
    message := concat(" ", [resource.address, "holds data"])
}
"""


def judge(changes):
    return objections(policy(), changes)
