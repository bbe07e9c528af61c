# ---
# answers: ex1
# why: written as YAML, with recommended labels, more of them and an expression as selector
# ---
def deployment(name, image, replicas):
    return yaml.safe_load(f"""
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  selector:
    matchExpressions:
    - {{key: app.kubernetes.io/name, operator: In, values: [{name}]}}
  template:
    metadata:
      labels: {{app.kubernetes.io/name: {name}, app.kubernetes.io/part-of: oakbank}}
    spec:
      containers:
      - name: {name}
        image: "{image}"
        imagePullPolicy: IfNotPresent
        ports:
        - name: http
          containerPort: 8000
          protocol: TCP
""")
