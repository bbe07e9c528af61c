# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-unseen: 1.75}
# why: "stops at the first thing that is wrong, and the second fault goes in"
# ---
def inspect(month, history):
    limits = {"volume": 1.45, "missing": 0.035, "unknown": 0.03, "unit": 1.6, "stale": 0.25}
    return feed_findings(month, history[-1], usual(history), limits)[:1]
