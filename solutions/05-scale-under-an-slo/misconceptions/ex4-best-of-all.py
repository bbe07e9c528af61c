# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: takes the largest rate that ever held, though a smaller one broke the promise
# ---
def capacity(measured, slo):
    return max((rate for rate, p99 in measured if p99 <= slo), default=0)
