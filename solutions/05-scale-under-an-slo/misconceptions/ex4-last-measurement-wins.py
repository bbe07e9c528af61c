# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: puts the measurements into a dict, so that of two at one rate only one counts
# ---
def capacity(measured, slo):
    best = 0
    for rate, p99 in sorted(dict(reversed(measured)).items()):
        if p99 > slo:
            break
        best = rate
    return best
