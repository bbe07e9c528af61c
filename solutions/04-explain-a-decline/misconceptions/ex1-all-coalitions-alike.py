# ---
# answers: ex1
# loses: {ex1-test-together: 2}
# why: gives each coalition the same weight (that is Banzhaf's index), so three names no longer add up
# ---
def shapley(score, applicant, reference):
    shares = {}
    for name in applicant:
        others = [other for other in applicant if other != name]
        steps = []
        for size in range(len(applicant)):
            for coalition in combinations(others, size):
                person = reference | {other: applicant[other] for other in coalition}
                steps.append(score(person | {name: applicant[name]}) - score(person))
        shares[name] = sum(steps) / len(steps)
    return shares
