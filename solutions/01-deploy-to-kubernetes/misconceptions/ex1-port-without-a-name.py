# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: leaves the port without its name, which Services and probes would refer to
# ---
def deployment(name, image, replicas):
    labels = {"app": name}
    service = {"name": "service", "image": image, "ports": [{"containerPort": 8000}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [service]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": dict(labels)}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
