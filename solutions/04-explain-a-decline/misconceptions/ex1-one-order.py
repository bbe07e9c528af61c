# ---
# answers: ex1
# loses: {ex1-test-together: 2}
# why: walks through the names in one order only; it adds up, and who comes last takes all
# ---
def shapley(score, applicant, reference):
    person, shares = dict(reference), {}
    for name in applicant:
        before = score(person)
        person[name] = applicant[name]
        shares[name] = score(person) - before
    return shares
