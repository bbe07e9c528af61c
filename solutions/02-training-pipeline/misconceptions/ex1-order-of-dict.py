# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: depends on the order in which the parameters were written down
# ---
def step_key(name, inputs, params):
    content = {argument: path.read_text() for argument, path in inputs.items()}
    return hashlib.sha256(repr([name, content, params]).encode()).hexdigest()
