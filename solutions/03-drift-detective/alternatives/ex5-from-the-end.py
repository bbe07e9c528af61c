# ---
# answers: ex5
# why: measures what calm looks like first, then goes back from the last month; the answer is a list
# ---
NAMES = ("age", "income", "channel", "employment", "purpose")


def find_data_drift(reference, months):
    calm = max(monitor.psi(reference[name], month[name]) for month in past for name in NAMES)
    onset = len(months)
    while onset > 0 and any(monitor.psi(reference[name], months[onset - 1][name]) > 2 * calm for name in NAMES):
        onset -= 1
    if onset == len(months):
        return None
    return [onset, max(NAMES, key=lambda name: monitor.psi(reference[name], months[-1][name]))]
