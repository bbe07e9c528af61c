# ---
# answers: ex8
# loses: {ex8-test-trouble: 2}
# why: takes the number of tries for the number of tries after the first
# ---
def nightly(name, image, hour, minute, tries, most):
    pod = {"restartPolicy": "Never", "containers": [{"name": name, "image": image}]}
    job = {"backoffLimit": tries, "activeDeadlineSeconds": most * 60, "template": {"spec": pod}}
    spec = {"schedule": f"{minute} {hour} * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": job}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}
