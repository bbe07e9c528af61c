# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: leaves the protected group out of the letter instead of refusing a model that uses it
# ---
def pick(pushes, k=4, least=0.01, protected=("group",)):
    strong = [name for name in pushes if pushes[name] >= least and name not in protected]
    return sorted(strong, key=lambda name: (-pushes[name], name))[:k]
