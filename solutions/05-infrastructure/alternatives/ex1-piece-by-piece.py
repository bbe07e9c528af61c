# ---
# answers: ex1
# why: builds the dict step by step
# ---
def declare(team, private, days):
    seconds = round(days * 24 * 60 * 60)
    if seconds < 60 or seconds > 1_209_600:
        raise ValueError("60 seconds to 14 days")
    found = {"aws_s3_bucket.lake": {"bucket": team + "-lake"}}
    block = {"bucket": team + "-lake"}
    for flag in FLAGS:
        block[flag] = bool(private)
    found["aws_s3_bucket_public_access_block.lake"] = block
    queue = {"name": team + "-applications"}
    queue["message_retention_seconds"] = seconds
    found["aws_sqs_queue.applications"] = queue
    found["aws_dynamodb_table.decisions"] = {
        "hash_key": "application_id",
        "name": team + "-decisions",
    }
    return found
