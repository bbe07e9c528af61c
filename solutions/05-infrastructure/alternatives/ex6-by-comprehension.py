# ---
# answers: ex6
# why: sets of buckets subtracted, `object.get` for the flags, one sentence for all of a block's flags
# ---
def policy():
    return """
package bank

import rego.v1

changed(kind, action) := {one | some one in input.resource_changes; one.type == kind; action in one.change.actions}

blocked := {one.change.after.bucket | some one in changed("aws_s3_bucket_public_access_block", "create")}

flags := ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]

deny contains sprintf("%s opens %v", [one.address, off]) if {
    some action in ["create", "update"]
    some one in changed("aws_s3_bucket_public_access_block", action)
    off := [flag | some flag in flags; object.get(one.change.after, flag, null) != true]
    count(off) > 0
}

deny contains concat("", ["no block: ", one.address]) if {
    some one in changed("aws_s3_bucket", "create")
    count({one.change.after.bucket} - blocked) == 1
}

deny contains sprintf("%s (%s)", [one.address, concat(", ", one.change.actions)]) if {
    some kind in ["aws_s3_bucket", "aws_dynamodb_table"]
    some one in changed(kind, "delete")
}
"""


def judge(changes):
    return objections(policy(), changes)
