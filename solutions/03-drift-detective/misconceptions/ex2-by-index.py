# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: compares by index, which is of no meaning across months
# ---
def feed_fault(previous, current, column):
    """Return "missing", "stale", "unit" or None."""
    if column not in current or current[column].isna().mean() > 0.5:
        return "missing"
    if column not in previous or previous[column].isna().all():
        return None
    both = pd.concat([previous[column], current[column]], axis=1, join="inner")
    if len(both) and (both.iloc[:, 0] == both.iloc[:, 1]).mean() > 0.5:
        return "stale"
    ratio = current[column].median() / previous[column].median()
    return "unit" if ratio > 3 or ratio < 1 / 3 else None
