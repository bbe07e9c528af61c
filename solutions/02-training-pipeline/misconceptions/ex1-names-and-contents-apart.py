# ---
# answers: ex1
# loses: {ex1-test-role: 1}
# why: sorts names and contents of the inputs apart, so two inputs may change places
# ---
def step_key(name, inputs, params):
    """Return a key that changes exactly when the result of the step could."""
    digests = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs.values())
    return hashlib.sha256(json.dumps([name, sorted(inputs), digests, params], sort_keys=True).encode()).hexdigest()
