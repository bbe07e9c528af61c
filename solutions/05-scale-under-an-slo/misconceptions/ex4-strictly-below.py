# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: holds a p99 that equals the SLO against the service
# ---
def capacity(measured, slo):
    broken = min((rate for rate, p99 in measured if p99 >= slo), default=math.inf)
    return max((rate for rate, _ in measured if rate < broken), default=0)
