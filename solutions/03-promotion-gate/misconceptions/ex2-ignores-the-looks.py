# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: tests at 0.05 however often it was tried, so the best of twenty passes by luck
# ---
def let_in(challenger, champion, looks):
    gains = np.asarray(challenger) - np.asarray(champion)
    error = gains.std(ddof=1) / math.sqrt(len(gains))
    p_value = float(gains.mean() <= 0 if error == 0 else norm.sf(gains.mean() / error))
    return {"p_value": p_value, "needed": 0.05, "passed": bool(p_value <= 0.05)}
