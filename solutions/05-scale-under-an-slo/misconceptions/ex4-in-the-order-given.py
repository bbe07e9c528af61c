# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: stops at the first bad measurement of the list, whatever its rate
# ---
def capacity(measured, slo):
    best = 0
    for rate, p99 in measured:
        if p99 > slo:
            break
        best = rate
    return best
