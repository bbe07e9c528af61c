# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: takes the limit of what is calm for a threshold, and `first_alarm` counts what is at its threshold
# ---
def find_concept_drift(surprises, delay):
    arrival = first_alarm(surprises, 3, 3)
    return None if arrival is None else arrival - delay
