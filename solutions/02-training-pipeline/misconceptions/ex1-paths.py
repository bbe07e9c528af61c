# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: hashes where the files lie, so a moved project runs everything again
# ---
def step_key(name, inputs, params):
    content = {argument: [str(path), path.read_text()] for argument, path in inputs.items()}
    return hashlib.sha256(json.dumps([name, content, params], sort_keys=True).encode()).hexdigest()
