# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: counts all applications of those months, whatever their segment
# ---
def recent(applications, asked, window=3):
    counts = applications.groupby("month").size().to_dict()
    return [sum(counts.get(m - back, 0) for back in range(1, window + 1)) for m in asked["month"]]
