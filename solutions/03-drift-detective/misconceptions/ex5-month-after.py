# ---
# answers: ex5
# loses: {ex5-test: 2, ex5-test-unseen: 2, ex5-test-odd: 1}
# why: compares each month with the one before it and names the month after
# ---
def find_data_drift(reference, months):
    names = ["channel", "employment", "purpose", "age", "income"]
    for number in range(1, len(months)):
        values = [monitor.psi(months[number - 1][name], months[number][name]) for name in names]
        if max(values) >= 0.1:
            return number + 1, names[int(np.argmax(values))]
    return None
