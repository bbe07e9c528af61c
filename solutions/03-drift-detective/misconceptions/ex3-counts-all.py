# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: counts months above the threshold, in a row or not
# ---
def first_alarm(signal, threshold, patience):
    above = [month for month, value in enumerate(signal) if value >= threshold]
    return above[0] if len(above) >= patience else None
