# ---
# answers: ex5
# why: "counts in plain Python"
# ---
from collections import Counter


def stale_columns(month, before, limit=0.5):
    n = min(len(month), len(before))
    stale = []
    for column in sorted(RANGES):
        if n == 0 or column not in month or column not in before:
            continue
        pairs = list(zip(month[column].tolist()[:n], before[column].tolist()[:n], strict=True))
        equal = sum(now == then for now, then in pairs) / n
        left = Counter(now for now, _ in pairs if not pd.isna(now))
        right = Counter(then for _, then in pairs if not pd.isna(then))
        chance = sum(left[value] / n * right[value] / n for value in left)
        if equal - chance > limit * (1 - chance):
            stale.append(column)
    return stale
