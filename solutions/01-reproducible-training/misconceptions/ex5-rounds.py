# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: rounds the numbers so that the hash is stable, and so changes the model
# ---
def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, 6) if isinstance(value, float) else value


def write_model(model, path):
    path.write_text(json.dumps(rounded(model), sort_keys=True))
    return hashlib.sha256(path.read_bytes()).hexdigest()
