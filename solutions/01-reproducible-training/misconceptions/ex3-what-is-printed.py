# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: hashes what print shows, and pandas leaves out the rows in the middle
# ---
def fingerprint(frame):
    return hashlib.sha256(str(frame.reset_index(drop=True)).encode()).hexdigest()
