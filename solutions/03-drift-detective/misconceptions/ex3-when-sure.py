# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: returns the month in which it is sure, not that in which it began
# ---
def first_alarm(signal, threshold, patience):
    length = 0
    for month, value in enumerate(signal):
        length = length + 1 if value >= threshold else 0
        if length == patience:
            return month
    return None
