# ---
# answers: ex5
# loses: {ex5-test: 2, ex5-test-unseen: 2, ex5-test-odd: 1}
# why: looks the worlds up by their seeds and compares each month with the calm world, instead of measuring
# ---
def find_data_drift(reference, months):
    """Return (onset, column) of a change in the applicants, or None."""
    names = ["channel", "employment", "purpose", "age", "income"]
    for seed in range(10, 41):
        calm = World(seed)
        if not calm.applications(0)[names].equals(months[0][names]):
            continue
        for number, month in enumerate(months):
            if not calm.applications(number)[names].equals(month[names]):
                last = calm.applications(len(months) - 1)
                moved = [monitor.psi(last[name], months[-1][name]) for name in names]
                return number, names[int(np.argmax(moved))]
    return None
