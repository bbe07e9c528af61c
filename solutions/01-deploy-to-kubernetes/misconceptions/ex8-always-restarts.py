# ---
# answers: ex8
# loses: {ex8-test: 2, ex8-test-trouble: 2}
# why: takes the restart policy of a service, which no job may have
# ---
def nightly(name, image, hour, minute, tries, most):
    pod = {"restartPolicy": "Always", "containers": [{"name": name, "image": image}]}
    job = {"backoffLimit": tries - 1, "activeDeadlineSeconds": most * 60, "template": {"spec": pod}}
    spec = {"schedule": f"{minute} {hour} * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": job}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}
