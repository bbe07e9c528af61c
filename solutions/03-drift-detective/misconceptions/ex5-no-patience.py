# ---
# answers: ex5
# loses: {ex5-test-odd: 1}
# why: takes the first month above the threshold for a change, also if all is as before one month later
# ---
def find_data_drift(reference, months):
    """Return (onset, column) of a change in the applicants, or None."""
    names = ["channel", "employment", "purpose", "age", "income"]
    for number, month in enumerate(months):
        if max(monitor.psi(reference[name], month[name]) for name in names) >= 0.06:
            last = [monitor.psi(reference[name], months[-1][name]) for name in names]
            return number, names[int(np.argmax(last))]
    return None
