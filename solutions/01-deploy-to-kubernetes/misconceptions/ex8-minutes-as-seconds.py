# ---
# answers: ex8
# loses: {ex8-test-trouble: 2}
# why: gives minutes where seconds are meant
# ---
def nightly(name, image, hour, minute, tries, most):
    pod = {"restartPolicy": "Never", "containers": [{"name": name, "image": image}]}
    job = {"backoffLimit": tries - 1, "activeDeadlineSeconds": most, "template": {"spec": pod}}
    spec = {"schedule": f"{minute} {hour} * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": job}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}
