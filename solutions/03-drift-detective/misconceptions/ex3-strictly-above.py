# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: leaves out the month that lies at the threshold
# ---
def first_alarm(signal, threshold, patience):
    length = 0
    for month, value in enumerate(signal):
        length = length + 1 if value > threshold else 0
        if length == patience:
            return month - patience + 1
    return None
