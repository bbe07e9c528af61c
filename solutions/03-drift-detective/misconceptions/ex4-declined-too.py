# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: counts declined applications, whose outcome nobody can know
# ---
def surprise(decisions, outcomes):
    both = decisions.merge(outcomes, on="application_id")
    if both.empty:
        return float("nan")
    p = both["default_probability"]
    return float((both["defaulted"] - p).sum() / np.sqrt((p * (1 - p)).sum()))
