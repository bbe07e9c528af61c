# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: takes the two-sided p-value, which is twice as large
# ---
def let_in(challenger, champion, looks):
    gains = np.asarray(challenger) - np.asarray(champion)
    error = gains.std(ddof=1) / math.sqrt(len(gains))
    p_value = float(gains.mean() <= 0 if error == 0 else 2 * norm.sf(abs(gains.mean() / error)))
    return {"p_value": p_value, "needed": 0.05 / looks, "passed": bool(p_value <= 0.05 / looks)}
