# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: hashes the values and forgets the names of the columns
# ---
def fingerprint(frame):
    return hashlib.sha256(frame.to_csv(index=False, header=False).encode()).hexdigest()
