# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: leaves out the applications on which both agree, and calls the rest the mean gain
# ---
def gain_interval(challenger, champion):
    gains = np.asarray(challenger) - np.asarray(champion)
    gains = gains[gains != 0]
    gain, error = gains.mean(), gains.std(ddof=1) / math.sqrt(len(gains))
    return {"gain": float(gain), "low": float(gain - 1.96 * error), "high": float(gain + 1.96 * error)}
