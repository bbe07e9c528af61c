# ---
# answers: ex1
# loses: {ex1-test-apart: 1}
# why: gives the pods of every Deployment the same label, so nothing can tell them apart
# ---
def deployment(name, image, replicas):
    labels = {"app": "oakbank"}
    service = {"name": "service", "image": image, "ports": [{"name": "http", "containerPort": 8000}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [service]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": dict(labels)}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
