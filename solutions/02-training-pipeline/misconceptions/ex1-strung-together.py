# ---
# answers: ex1
# loses: {ex1-test-role: 1}
# why: strings the texts together, so two steps can give one text
# ---
def step_key(name, inputs, params):
    """Return a key that changes exactly when the result of the step could."""
    text = name
    for argument in sorted(inputs):
        text += argument + hashlib.sha256(inputs[argument].read_bytes()).hexdigest()
    return hashlib.sha256((text + json.dumps(params, sort_keys=True)).encode()).hexdigest()
