# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: calls a feed stale when the values are the same, whoever has them
# ---
def feed_fault(previous, current, column):
    if column not in current or current[column].isna().mean() > 0.5:
        return "missing"
    if column not in previous or previous[column].isna().all():
        return None
    if np.isclose(current[column].mean(), previous[column].mean(), rtol=1e-9):
        return "stale"
    ratio = current[column].median() / previous[column].median()
    return "unit" if ratio > 3 or ratio < 1 / 3 else None
