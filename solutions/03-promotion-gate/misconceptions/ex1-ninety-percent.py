# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: takes the one-sided 1.645, which gives a two-sided interval of 90 %
# ---
def gain_interval(challenger, champion):
    gains = np.asarray(challenger) - np.asarray(champion)
    gain, error = gains.mean(), gains.std(ddof=1) / math.sqrt(len(gains))
    return {"gain": float(gain), "low": float(gain - 1.645 * error), "high": float(gain + 1.645 * error)}
