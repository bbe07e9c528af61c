# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: draws anew for each request
# ---
def arm(applicant, share, salt):
    place = np.random.default_rng().random()
    if place < share:
        return "canary"
    return "baseline" if 0.5 <= place < 0.5 + share else "champion"
