# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-together: 2}
# why: takes "not known yet" for zero instead of for the reference's value
# ---
def shapley(score, applicant, reference):
    orders = list(permutations(applicant))
    shares = dict.fromkeys(applicant, 0.0)
    for order in orders:
        person = dict.fromkeys(applicant, 0.0)
        for name in order:
            before = score(person)
            person[name] = applicant[name]
            shares[name] += (score(person) - before) / len(orders)
    return shares
