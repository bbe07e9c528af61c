# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-honest: 3, ex7-test-unseen: 2.5}
# why: "takes the wide limits as they are: no false alarm, and half of the faults pass"
# ---
def inspect(month, history):
    return feed_findings(month, history[-1], usual(history), WIDE)
