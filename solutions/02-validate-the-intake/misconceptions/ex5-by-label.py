# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: "joins the two months by index label instead of by place"
# ---
def stale_columns(month, before, limit=0.5):
    n = min(len(month), len(before))
    found = []
    for column in [name for name in RANGES if n and name in month and name in before]:
        now, then = month[column].iloc[:n], before[column].iloc[:n]
        same = (now == then.reindex(now.index)).mean()
        chance = (now.value_counts() * then.value_counts()).sum() / n**2
        if same - chance > limit * (1 - chance):
            found.append(column)
    return sorted(found)
