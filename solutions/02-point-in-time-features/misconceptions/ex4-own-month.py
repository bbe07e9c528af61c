# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: counts the month itself, whose applications have not come yet
# ---
def recent(applications, asked, window=3):
    counts = applications.groupby(["segment", "month"]).size().to_dict()
    return [
        sum(counts.get((s, m - back), 0) for back in range(window))
        for m, s in zip(asked["month"], asked["segment"], strict=True)
    ]
