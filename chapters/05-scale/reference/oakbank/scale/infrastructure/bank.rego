package bank

import rego.v1

deny contains message if {
    some resource in input.resource_changes
    resource.type == "aws_s3_bucket_public_access_block"
    some name, value in resource.change.after
    value == false
    message := sprintf("%s: %s is false", [resource.address, name])
}

deny contains message if {
    some resource in input.resource_changes
    resource.type in {"aws_s3_bucket_public_access_block", "aws_s3_bucket", "aws_dynamodb_table"}
    "delete" in resource.change.actions
    message := sprintf("%s would be deleted", [resource.address])
}
