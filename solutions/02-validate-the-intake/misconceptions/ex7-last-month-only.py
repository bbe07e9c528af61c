# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-honest: 3, ex7-test-unseen: 0.75}
# why: "takes the last month for what is usual, and it may be broken itself"
# ---
def inspect(month, history):
    limits = {"volume": 1.45, "missing": 0.035, "unknown": 0.03, "unit": 1.6, "stale": 0.25}
    return feed_findings(month, history[-1], usual(history[-1:]), limits)
