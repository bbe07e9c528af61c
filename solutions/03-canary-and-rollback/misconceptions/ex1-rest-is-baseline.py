# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: compares with all the rest instead of with a baseline of the same size
# ---
def arm(applicant, share, salt):
    place = int(hashlib.sha256(f"{salt}:{applicant}".encode()).hexdigest()[:8], 16) / 16**8
    return "canary" if place < share else "baseline"
