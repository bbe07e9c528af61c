# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-apart: 1}
# why: believes that a selector names the Deployment; it must pick the labels of its pods
# ---
def deployment(name, image, replicas):
    labels = {"app": "service"}
    service = {"name": "service", "image": image, "ports": [{"name": "http", "containerPort": 8000}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [service]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}
