# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: hashes what print shows of the dict, not what is in the file
# ---
def write_model(model, path):
    path.write_text(json.dumps(model, sort_keys=True))
    return hashlib.sha256(str(model).encode()).hexdigest()
