# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-unseen: 3}
# why: names the month in which the outcomes arrived, not that of the loans
# ---
def find_concept_drift(surprises, delay):
    for month in range(len(surprises) - 1):
        if surprises[month] >= 4.5 and surprises[month + 1] >= 4.5:
            return month
    return None
