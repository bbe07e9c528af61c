# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: says how far the gain of one application spreads, not how sure the mean is
# ---
def gain_interval(challenger, champion):
    gains = np.asarray(challenger) - np.asarray(champion)
    gain, spread = gains.mean(), gains.std(ddof=1)
    return {"gain": float(gain), "low": float(gain - 1.96 * spread), "high": float(gain + 1.96 * spread)}
