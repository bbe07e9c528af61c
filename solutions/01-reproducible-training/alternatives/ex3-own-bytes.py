# ---
# answers: ex3
# why: hashes column after column, names and values, without CSV
# ---
def fingerprint(frame):
    whole = hashlib.sha256()
    for name in frame.columns:
        whole.update(json.dumps([name, str(frame[name].dtype)]).encode())
        whole.update(json.dumps([str(value) for value in frame[name].tolist()]).encode())
    return whole.hexdigest()
