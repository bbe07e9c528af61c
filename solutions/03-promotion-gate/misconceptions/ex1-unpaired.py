# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: adds up the variances of both, as if they had decided about other people
# ---
def gain_interval(challenger, champion):
    gain = np.mean(challenger) - np.mean(champion)
    error = math.sqrt((np.var(challenger, ddof=1) + np.var(champion, ddof=1)) / len(champion))
    return {"gain": float(gain), "low": float(gain - 1.96 * error), "high": float(gain + 1.96 * error)}
