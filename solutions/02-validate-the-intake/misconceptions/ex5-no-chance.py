# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: "forgets chance, so a column of mostly zeros stands still in every month"
# ---
def stale_columns(month, before, limit=0.5):
    n = min(len(month), len(before))
    found = []
    for column in [name for name in RANGES if n and name in month and name in before]:
        now, then = month[column].iloc[:n], before[column].iloc[:n]
        same = (now.to_numpy() == then.to_numpy()).mean()
        if same > limit:
            found.append(column)
    return sorted(found)
