# ---
# answers: ex5
# loses: {ex5-test: 2, ex5-test-unseen: 2, ex5-test-odd: 1}
# why: takes a p-value below 0.05 for a change, with 24,000 rows of reference and five columns
# ---
def find_data_drift(reference, months):
    from scipy.stats import ks_2samp

    names = ["channel", "employment", "purpose", "age", "income"]
    for number, month in enumerate(months):
        for name in names:
            a, b = reference[name], month[name]
            if a.dtype == "category":
                a, b = a.cat.codes, b.cat.codes
            if ks_2samp(a, b).pvalue < 0.05:
                return number, name
    return None
