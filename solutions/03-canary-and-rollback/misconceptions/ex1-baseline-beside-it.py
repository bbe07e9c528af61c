# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: puts the baseline right beside the canary, so a larger share moves people over
# ---
def arm(applicant, share, salt):
    place = int(hashlib.sha256(f"{salt}:{applicant}".encode()).hexdigest()[:8], 16) / 16**8
    if place < share:
        return "canary"
    return "baseline" if place < 2 * share else "champion"
