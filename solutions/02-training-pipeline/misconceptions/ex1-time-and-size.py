# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: looks at size and time of a file instead of its content, as make does
# ---
def step_key(name, inputs, params):
    content = {argument: [path.stat().st_size, path.stat().st_mtime_ns] for argument, path in inputs.items()}
    return hashlib.sha256(json.dumps([name, content, params], sort_keys=True).encode()).hexdigest()
