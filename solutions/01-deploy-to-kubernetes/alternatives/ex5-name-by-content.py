# ---
# answers: ex5
# why: names ConfigMap and Secret by their content, as kustomize does, and refers to each key
# ---
def configured(deployment, config, secret):
    def named(kind, word, data):
        mark = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:10]
        name = f"{deployment['metadata']['name']}-{word}-{mark}"
        return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data, "immutable": True}

    plain = named("ConfigMap", "config", {key: str(config[key]) for key in config})
    hidden = named("Secret", "secret", {key: base64.b64encode(secret[key].encode()).decode() for key in secret})
    variables = []
    for one, word in ((plain, "configMapKeyRef"), (hidden, "secretKeyRef")):
        for key in sorted(one["data"]):
            reference = {word: {"name": one["metadata"]["name"], "key": key}}
            variables.append({"name": key, "valueFrom": reference})
    made = copy.deepcopy(deployment)
    service = made["spec"]["template"]["spec"]["containers"][0]
    service["env"] = [*service.get("env", []), *variables]
    return [made, plain, hidden]
