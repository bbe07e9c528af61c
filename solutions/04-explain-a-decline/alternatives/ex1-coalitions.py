# ---
# answers: ex1
# why: coalitions with their weights instead of orders
# ---
from math import factorial


def shapley(score, applicant, reference):
    names = list(applicant)
    n = len(names)

    def value(known):
        return score({name: applicant[name] if name in known else reference[name] for name in names})

    shares = {}
    for name in names:
        others = [other for other in names if other != name]
        shares[name] = 0.0
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for known in combinations(others, size):
                shares[name] += weight * (value({*known, name}) - value(set(known)))
    return shares
