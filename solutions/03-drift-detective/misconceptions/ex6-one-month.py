# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: takes a single odd month for a recession
# ---
def find_concept_drift(surprises, delay):
    for month, value in enumerate(surprises):
        if value >= 4.5:
            return month - delay
    return None
