# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: writes the team in small letters, as S3 wants its buckets
# ---
def declare(team, private, days):
    """Return what a team needs: attributes by address, in order of creation."""
    team = team.lower()
    seconds = round(days * 86_400)
    if not 60 <= seconds <= 14 * 86_400:
        raise ValueError(f"a queue keeps for 60 seconds to 14 days, not {days}")
    bucket = f"{team}-lake"
    return {
        "aws_s3_bucket.lake": {"bucket": bucket},
        f"{BLOCK}.lake": {"bucket": bucket, **dict.fromkeys(FLAGS, private)},
        "aws_sqs_queue.applications": {
            "name": f"{team}-applications",
            "message_retention_seconds": seconds,
        },
        "aws_dynamodb_table.decisions": {
            "name": f"{team}-decisions",
            "hash_key": "application_id",
        },
    }
