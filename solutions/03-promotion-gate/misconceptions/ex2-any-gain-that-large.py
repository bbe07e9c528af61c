# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: asks how probable such a gain is for one application, not for the mean of all
# ---
def let_in(challenger, champion, looks):
    gains = np.asarray(challenger) - np.asarray(champion)
    spread = gains.std(ddof=1)
    p_value = float(gains.mean() <= 0 if spread == 0 else norm.sf(gains.mean() / spread))
    return {"p_value": p_value, "needed": 0.05 / looks, "passed": bool(p_value <= 0.05 / looks)}
