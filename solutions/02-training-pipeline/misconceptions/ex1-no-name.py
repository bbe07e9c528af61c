# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: leaves the name out, so two steps over the same inputs share a key
# ---
def step_key(name, inputs, params):
    content = {argument: path.read_text() for argument, path in inputs.items()}
    return hashlib.sha256(json.dumps([content, params], sort_keys=True).encode()).hexdigest()
