# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: takes Python's own hash, which is another one in every process
# ---
def arm(applicant, share, salt):
    place = hash((salt, applicant)) % 10000 / 10000
    if place < share:
        return "canary"
    return "baseline" if 0.5 <= place < 0.5 + share else "champion"
