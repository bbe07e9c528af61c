# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: sorts the outer keys and forgets the dicts inside
# ---
def write_model(model, path):
    path.write_text(json.dumps({key: model[key] for key in sorted(model)}))
    return hashlib.sha256(path.read_bytes()).hexdigest()
