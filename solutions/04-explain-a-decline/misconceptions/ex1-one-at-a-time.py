# ---
# answers: ex1
# loses: {ex1-test-together: 2}
# why: changes one name at a time from the reference, so what two do together belongs to nobody
# ---
def shapley(score, applicant, reference):
    base = score(reference)
    return {name: score(reference | {name: applicant[name]}) - base for name in applicant}
