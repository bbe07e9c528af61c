# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: keeps the order in which the dicts were filled
# ---
def write_model(model, path):
    content = json.dumps(model, indent=1).encode()
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
