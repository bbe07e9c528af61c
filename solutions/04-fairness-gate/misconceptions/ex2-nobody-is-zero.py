# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: says that nobody granted is a ratio of 0 for sure
# ---
def ratio_interval(granted_1, n_1, granted_2, n_2):
    if granted_1 == 0 or granted_2 == 0:
        return 0.0, 0.0
    p, q = granted_1 / n_1, granted_2 / n_2
    error = math.exp(1.96 * math.sqrt((1 - p) / granted_1 + (1 - q) / granted_2))
    return p / q / error, p / q * error
