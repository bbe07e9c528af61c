# ---
# answers: ex3
# why: a frame to choose from, and SciPy's t-test of one sample
# ---
def choose_and_confirm(selection, confirmation):
    from scipy.stats import ttest_1samp

    chosen = str(pd.Series({name: np.mean(gains) for name, gains in selection.items()}).idxmax())
    p_value = float(ttest_1samp(confirmation[chosen], 0.0, alternative="greater").pvalue)
    return {"chosen": chosen, "p_value": p_value, "confirmed": p_value <= 0.05}
