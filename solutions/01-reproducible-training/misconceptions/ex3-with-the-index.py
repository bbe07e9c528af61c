# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: hashes the index too, so the same data read again has another name
# ---
def fingerprint(frame):
    return hashlib.sha256(frame.to_csv().encode()).hexdigest()
