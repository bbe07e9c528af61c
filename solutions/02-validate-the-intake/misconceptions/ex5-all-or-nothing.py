# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: "asks whether the whole column is equal, so a cache that answers for most is not seen"
# ---
def stale_columns(month, before, limit=0.5):
    n = min(len(month), len(before))
    found = []
    for column in [name for name in RANGES if n and name in month and name in before]:
        now, then = month[column].iloc[:n], before[column].iloc[:n]
        same = (now.to_numpy() == then.to_numpy()).mean()
        chance = (now.value_counts() * then.value_counts()).sum() / n**2
        if same == 1:
            found.append(column)
    return sorted(found)
