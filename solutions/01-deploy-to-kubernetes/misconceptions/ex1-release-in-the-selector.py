# ---
# answers: ex1
# loses: {ex1-test-apart: 1}
# why: puts the release into the selector, which cannot be changed, so the next release is refused
# ---
def deployment(name, image, replicas):
    labels = {"app": name, "release": image.rpartition(":")[2]}
    service = {"name": "service", "image": image, "ports": [{"name": "http", "containerPort": 8000}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [service]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": dict(labels)}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
