# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-limits: 1}
# why: calls the column missing as soon as one value is
# ---
def feed_fault(previous, current, column):
    if column not in current or current[column].isna().any():
        return "missing"
    if column not in previous or previous[column].isna().all():
        return None
    rows = min(len(previous), len(current))
    if (previous[column].to_numpy()[:rows] == current[column].to_numpy()[:rows]).mean() > 0.5:
        return "stale"
    ratio = current[column].median() / previous[column].median()
    return "unit" if ratio > 3 or ratio < 1 / 3 else None
