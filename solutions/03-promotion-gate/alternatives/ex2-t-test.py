# ---
# answers: ex2
# why: SciPy's paired t-test
# ---
def let_in(challenger, champion, looks):
    from scipy.stats import ttest_rel

    gains = np.asarray(challenger) - np.asarray(champion)
    if np.ptp(gains) == 0:
        p_value = 0.0 if gains[0] > 0 else 1.0
    else:
        p_value = float(ttest_rel(challenger, champion, alternative="greater").pvalue)
    return {"p_value": p_value, "needed": 0.05 / looks, "passed": p_value * looks <= 0.05}
