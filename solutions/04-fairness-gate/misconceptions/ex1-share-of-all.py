# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: divides by all people instead of by the group's
# ---
def rates(granted, group):
    if len(granted) != len(group):
        raise ValueError("lengths differ")
    found = {}
    for name in set(group):
        yes = sum(one for one, whose in zip(granted, group, strict=True) if whose == name)
        found[name] = {"n": group.count(name), "granted": yes, "rate": yes / len(group)}
    return found
