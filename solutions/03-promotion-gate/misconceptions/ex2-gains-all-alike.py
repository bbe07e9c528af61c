# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: divides by a standard error of 0, and nan is neither a pass nor a p-value
# ---
def let_in(challenger, champion, looks):
    gains = np.asarray(challenger) - np.asarray(champion)
    error = gains.std(ddof=1) / math.sqrt(len(gains))
    with np.errstate(all="ignore"):
        p_value = float(norm.sf(gains.mean() / error))
    return {"p_value": p_value, "needed": 0.05 / looks, "passed": bool(p_value <= 0.05 / looks)}
