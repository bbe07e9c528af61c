# ---
# answers: ex5
# loses: {ex5-test: 2}
# why: replaces the environment that the container had
# ---
def configured(deployment, config, secret):
    made, name = copy.deepcopy(deployment), deployment["metadata"]["name"]
    texts = {key: str(value) for key, value in config.items()}
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": texts}
    hidden = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(secret)}
    sources = [{"configMapRef": {"name": name}}, {"secretRef": {"name": name}}]
    container_of(made).update(env=[], envFrom=sources)
    template = made["spec"]["template"]
    text = json.dumps([texts, secret], sort_keys=True)
    template["metadata"].setdefault("annotations", {})["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    return [plain, hidden, made]
