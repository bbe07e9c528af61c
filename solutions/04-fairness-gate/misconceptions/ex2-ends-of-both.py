# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-covers: 2}
# why: divides the ends of both intervals, which is far too wide
# ---
def ratio_interval(granted_1, n_1, granted_2, n_2):
    if granted_1 == 0 or granted_2 == 0:
        return 0.0, math.inf
    p, q = granted_1 / n_1, granted_2 / n_2
    e, f = 1.96 * math.sqrt(p * (1 - p) / n_1), 1.96 * math.sqrt(q * (1 - q) / n_2)
    return (p - e) / (q + f), (p + e) / max(q - f, 1e-9)
