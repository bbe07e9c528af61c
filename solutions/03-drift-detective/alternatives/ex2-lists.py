# ---
# answers: ex2
# why: lists instead of columns, without a division, and it prints
# ---
import statistics


def feed_fault(previous, current, column):
    now = list(current[column]) if column in current.columns else []
    there = [value for value in now if not pd.isna(value)]
    print(f"{column}: {len(there)} of {len(current)} values")
    if column not in current.columns or 2 * len(there) < len(now):
        return "missing"
    old = list(previous[column]) if column in previous.columns else []
    known = [value for value in old if not pd.isna(value)]
    if not known:
        return None
    pairs = list(zip(old, now, strict=False))
    if 2 * sum(before == after for before, after in pairs) > len(pairs):
        return "stale"
    before, after = statistics.median(known), statistics.median(there)
    if after > 3 * before or 3 * after < before:
        return "unit"
    return None
