# ---
# answers: ex5
# loses: {ex5-test: 2, ex5-test-unseen: 2, ex5-test-odd: 1}
# why: watches the numeric columns and forgets the categories
# ---
def find_data_drift(reference, months):
    names = ["age", "income"]
    for number, month in enumerate(months):
        values = [monitor.psi(reference[name], month[name]) for name in names]
        if max(values) >= 0.06:
            last = [monitor.psi(reference[name], months[-1][name]) for name in names]
            return number, names[int(np.argmax(last))]
    return None
