# ---
# answers: ex5
# loses: {ex5-test: 2}
# why: leaves numbers as numbers, which a ConfigMap does not hold
# ---
def configured(deployment, config, secret):
    made, name = copy.deepcopy(deployment), deployment["metadata"]["name"]
    texts = dict(config)
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": texts}
    hidden = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": dict(secret)}
    sources = [{"configMapRef": {"name": name}}, {"secretRef": {"name": name}}]
    container_of(made).setdefault("envFrom", []).extend(sources)
    template = made["spec"]["template"]
    text = json.dumps([texts, secret], sort_keys=True)
    template["metadata"].setdefault("annotations", {})["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    return [plain, hidden, made]
