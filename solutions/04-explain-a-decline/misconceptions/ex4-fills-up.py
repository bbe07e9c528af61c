# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: fills the list up with whatever pushes at all, though it is too weak to be a reason
# ---
def pick(pushes, k=4, least=0.01, protected=("group",)):
    for name in protected:
        if name in pushes:
            raise ValueError(f"the model uses {name}")
    return sorted((name for name in pushes if pushes[name] > 0), key=lambda name: (-pushes[name], name))[:k]
