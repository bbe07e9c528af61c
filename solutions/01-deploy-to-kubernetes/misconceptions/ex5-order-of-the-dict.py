# ---
# answers: ex5
# loses: {ex5-test-rolls: 2}
# why: hashes the values in the order in which somebody wrote them
# ---
def configured(deployment, config, secret):
    made, name = copy.deepcopy(deployment), deployment["metadata"]["name"]
    texts = {key: str(value) for key, value in config.items()}
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": texts}
    hidden = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(secret)}
    sources = [{"configMapRef": {"name": name}}, {"secretRef": {"name": name}}]
    container_of(made).setdefault("envFrom", []).extend(sources)
    template = made["spec"]["template"]
    text = json.dumps([texts, secret])
    template["metadata"].setdefault("annotations", {})["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    return [plain, hidden, made]
