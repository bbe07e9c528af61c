# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-limits: 1}
# why: looks for values that became larger only
# ---
def feed_fault(previous, current, column):
    if column not in current or current[column].isna().mean() > 0.5:
        return "missing"
    if column not in previous or previous[column].isna().all():
        return None
    rows = min(len(previous), len(current))
    if (previous[column].to_numpy()[:rows] == current[column].to_numpy()[:rows]).mean() > 0.5:
        return "stale"
    return "unit" if current[column].median() / previous[column].median() > 3 else None
