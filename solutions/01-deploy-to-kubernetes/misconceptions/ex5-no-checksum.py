# ---
# answers: ex5
# loses: {ex5-test-rolls: 2}
# why: believes that pods notice a changed ConfigMap
# ---
def configured(deployment, config, secret):
    made, name = copy.deepcopy(deployment), deployment["metadata"]["name"]
    texts = {key: str(value) for key, value in config.items()}
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": texts}
    hidden = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(secret)}
    sources = [{"configMapRef": {"name": name}}, {"secretRef": {"name": name}}]
    container_of(made).setdefault("envFrom", []).extend(sources)
    return [plain, hidden, made]
