# ---
# answers: ex2
# why: a bootstrap of both groups, with a seed of its own
# ---
def ratio_interval(granted_1, n_1, granted_2, n_2):
    if granted_1 == 0 or granted_2 == 0:
        return 0.0, math.inf
    draw = np.random.default_rng(0)
    first = draw.binomial(n_1, granted_1 / n_1, 4000) / n_1
    second = draw.binomial(n_2, granted_2 / n_2, 4000) / n_2
    low, high = np.quantile(first / np.maximum(second, 1 / n_2), [0.025, 0.975])
    return float(low), float(high)
