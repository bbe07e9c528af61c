# ---
# answers: ex5
# loses: {ex5-test-unseen: 2, ex5-test-odd: 1}
# why: takes the 0.25 of the textbook as a law and misses what is smaller
# ---
def find_data_drift(reference, months):
    names = ["channel", "employment", "purpose", "age", "income"]
    for number, month in enumerate(months):
        values = [monitor.psi(reference[name], month[name]) for name in names]
        if max(values) >= 0.25:
            last = [monitor.psi(reference[name], months[-1][name]) for name in names]
            return number, names[int(np.argmax(last))]
    return None
