# ---
# answers: ex6
# loses: {ex6-test: 4}
# why: asks whether a flag is false or missing, and lets null pass
# ---
def policy():
    """Return the bank's policy on plans, in Rego."""
    rules = """
package bank

import rego.v1

deny contains sprintf("%s: %s is not true", [resource.address, flag]) if {
    some resource in input.resource_changes
    resource.type == "aws_s3_bucket_public_access_block"
    block := resource.change.after
    block != null
    some flag in FLAGS
    not block[flag]
}

blocked contains resource.change.after.bucket if {
    some resource in input.resource_changes
    resource.type == "aws_s3_bucket_public_access_block"
    "create" in resource.change.actions
}

deny contains sprintf("%s has no block", [resource.address]) if {
    some resource in input.resource_changes
    resource.type == "aws_s3_bucket"
    "create" in resource.change.actions
    not resource.change.after.bucket in blocked
}

deny contains sprintf("%s would be deleted", [resource.address]) if {
    some resource in input.resource_changes
    resource.type in {"aws_s3_bucket", "aws_dynamodb_table"}
    "delete" in resource.change.actions
}
"""
    return rules.replace("FLAGS", json.dumps(FLAGS))


def judge(changes):
    """Return what your policy has against a plan; the tests ask this."""
    return objections(policy(), changes)
