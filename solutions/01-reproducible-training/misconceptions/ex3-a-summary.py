# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: hashes means and quantiles, which do not see the order of the rows
# ---
def fingerprint(frame):
    return hashlib.sha256(frame.describe().round(1).to_csv().encode()).hexdigest()
