# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: orders by absolute size, so what speaks for the applicant becomes a reason against
# ---
def pick(pushes, k=4, least=0.01, protected=("group",)):
    for name in protected:
        if name in pushes:
            raise ValueError(f"the model uses {name}")
    strong = [name for name in pushes if abs(pushes[name]) >= least]
    return sorted(strong, key=lambda name: (-abs(pushes[name]), name))[:k]
