# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: puts predictions and outcomes side by side by their position
# ---
def surprise(decisions, outcomes):
    granted = decisions[decisions["granted"]]
    rows = min(len(granted), len(outcomes))
    if rows == 0:
        return float("nan")
    p = granted["default_probability"].to_numpy()[:rows]
    y = outcomes["defaulted"].to_numpy()[:rows]
    return float((y - p).sum() / np.sqrt((p * (1 - p)).sum()))
