# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: calls loans that go better than predicted an alarm
# ---
def find_concept_drift(surprises, delay):
    for month in range(len(surprises) - 1):
        if abs(surprises[month]) >= 4.5 and abs(surprises[month + 1]) >= 4.5:
            return month - delay
    return None
