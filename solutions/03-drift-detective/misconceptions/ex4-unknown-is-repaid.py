# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: takes a loan without an outcome for a repaid one
# ---
def surprise(decisions, outcomes):
    granted = decisions[decisions["granted"]].merge(outcomes, on="application_id", how="left")
    if granted["defaulted"].isna().all():
        return float("nan")
    y = granted["defaulted"].fillna(False).astype(float)
    p = granted["default_probability"]
    return float((y - p).sum() / np.sqrt((p * (1 - p)).sum()))
