# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-apart: 1}
# why: writes the number of a port as text
# ---
def deployment(name, image, replicas):
    labels = {"app": name}
    service = {"name": "service", "image": image, "ports": [{"name": "http", "containerPort": "8000"}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [service]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": dict(labels)}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
