# ---
# answers: ex8
# loses: {ex8-test-trouble: 2}
# why: restarts the container in its pod; the last restart that is allowed is ended as it begins
# ---
def nightly(name, image, hour, minute, tries, most):
    pod = {"restartPolicy": "OnFailure", "containers": [{"name": name, "image": image}]}
    job = {"backoffLimit": tries - 1, "activeDeadlineSeconds": most * 60, "template": {"spec": pod}}
    spec = {"schedule": f"{minute} {hour} * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": job}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}
