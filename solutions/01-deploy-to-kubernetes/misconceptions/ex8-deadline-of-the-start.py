# ---
# answers: ex8
# loses: {ex8-test-trouble: 2}
# why: limits how late a run may start instead of how long it may take
# ---
def nightly(name, image, hour, minute, tries, most):
    pod = {"restartPolicy": "Never", "containers": [{"name": name, "image": image}]}
    job = {"backoffLimit": tries - 1, "template": {"spec": pod}}
    spec = {
        "schedule": f"{minute} {hour} * * *",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": most * 60,
        "jobTemplate": {"spec": job},
    }
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}
