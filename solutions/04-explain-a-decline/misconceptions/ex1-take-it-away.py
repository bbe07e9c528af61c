# ---
# answers: ex1
# loses: {ex1-test-together: 2}
# why: takes one name at a time away from the applicant, so what two do together is counted twice
# ---
def shapley(score, applicant, reference):
    whole = score(applicant)
    return {name: whole - score(applicant | {name: reference[name]}) for name in applicant}
