# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: opens the window one month too wide
# ---
def recent(applications, asked, window=3):
    counts = applications.groupby(["segment", "month"]).size().to_dict()
    return [
        sum(counts.get((s, m - back), 0) for back in range(1, window + 2))
        for m, s in zip(asked["month"], asked["segment"], strict=True)
    ]
