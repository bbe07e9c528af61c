# ---
# answers: ex1
# why: a paired bootstrap, rows are drawn with both models' results
# ---
def gain_interval(challenger, champion):
    gains = np.asarray(challenger) - np.asarray(champion)
    draw = np.random.default_rng(0)
    means = [gains[draw.integers(0, len(gains), len(gains))].mean() for _ in range(4000)]
    low, high = np.quantile(means, [0.025, 0.975])
    return {"gain": float(gains.mean()), "low": float(low), "high": float(high)}
