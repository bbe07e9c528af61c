# ---
# answers: ex8
# why: written as YAML, with labels, a history and more fields
# ---
def nightly(name, image, hour, minute, tries, most):
    return yaml.safe_load(f"""
kind: CronJob
apiVersion: batch/v1
metadata: {{name: {name}, labels: {{app: {name}}}}}
spec:
  schedule: "{minute:02d} {hour:02d} 1-31 * *"
  concurrencyPolicy: Forbid
  successfulJobsHistoryLimit: 7
  startingDeadlineSeconds: 600
  jobTemplate:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      backoffLimit: {tries - 1}
      activeDeadlineSeconds: {int(timedelta(minutes=most).total_seconds())}
      template:
        metadata: {{labels: {{app: {name}}}}}
        spec:
          restartPolicy: Never
          containers:
          - name: scores
            image: "{image}"
            env: [{{name: TZ, value: UTC}}]
""")
