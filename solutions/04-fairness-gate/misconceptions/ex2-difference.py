# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-covers: 2}
# why: gives the interval of the difference
# ---
def ratio_interval(granted_1, n_1, granted_2, n_2):
    if granted_1 == 0 or granted_2 == 0:
        return 0.0, math.inf
    p, q = granted_1 / n_1, granted_2 / n_2
    error = 1.96 * math.sqrt(p * (1 - p) / n_1 + q * (1 - q) / n_2)
    return p - q - error, p - q + error
