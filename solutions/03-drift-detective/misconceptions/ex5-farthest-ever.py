# ---
# answers: ex5
# loses: {ex5-test-odd: 1}
# why: names the column that moved farthest in any month, which may be the odd one
# ---
def find_data_drift(reference, months):
    names = ["channel", "employment", "purpose", "age", "income"]
    moved = pd.DataFrame({name: [monitor.psi(reference[name], month[name]) for month in months] for name in names})
    onset = first_alarm(moved.max(axis=1), 0.05, 2)
    return None if onset is None else (onset, moved.max().idxmax())
