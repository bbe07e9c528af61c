# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-covers: 2}
# why: takes one standard error for a 95 % interval
# ---
def ratio_interval(granted_1, n_1, granted_2, n_2):
    if granted_1 == 0 or granted_2 == 0:
        return 0.0, math.inf
    p, q = granted_1 / n_1, granted_2 / n_2
    error = math.exp(math.sqrt((1 - p) / granted_1 + (1 - q) / granted_2))
    return p / q / error, p / q * error
