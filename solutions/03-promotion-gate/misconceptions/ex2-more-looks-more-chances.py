# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: multiplies the level by the looks instead of dividing it
# ---
def let_in(challenger, champion, looks):
    gains = np.asarray(challenger) - np.asarray(champion)
    error = gains.std(ddof=1) / math.sqrt(len(gains))
    p_value = float(gains.mean() <= 0 if error == 0 else norm.sf(gains.mean() / error))
    needed = min(1.0, 0.05 * looks)
    return {"p_value": p_value, "needed": needed, "passed": bool(p_value <= needed)}
