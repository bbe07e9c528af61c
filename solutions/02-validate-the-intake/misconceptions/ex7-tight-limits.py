# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-honest: 3, ex7-test-unseen: 4}
# why: "takes limits so tight that honest months are stopped"
# ---
def inspect(month, history):
    limits = {"volume": 1.1, "missing": 0.0, "unknown": 0.0, "unit": 1.05, "stale": 0.05}
    return feed_findings(month, history[-1], usual(history), limits)
