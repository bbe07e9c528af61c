# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: leaves equal contributions in the order of the dict, so the same case can get two letters
# ---
def pick(pushes, k=4, least=0.01, protected=("group",)):
    for name in protected:
        if name in pushes:
            raise ValueError(f"the model uses {name}")
    return [name for name in sorted(pushes, key=pushes.get, reverse=True) if pushes[name] >= least][:k]
