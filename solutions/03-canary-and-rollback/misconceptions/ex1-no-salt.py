# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: leaves the salt out, so that the same people try every release
# ---
def arm(applicant, share, salt):
    place = int(hashlib.sha256(applicant.encode()).hexdigest()[:8], 16) / 16**8
    if place < share:
        return "canary"
    return "baseline" if 0.5 <= place < 0.5 + share else "champion"
