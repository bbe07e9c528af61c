# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: takes groups from the granted, so a group of whom nobody is granted disappears
# ---
def rates(granted, group):
    if len(granted) != len(group):
        raise ValueError("lengths differ")
    found = {}
    for name in {whose for one, whose in zip(granted, group, strict=True) if one}:
        mine = [one for one, whose in zip(granted, group, strict=True) if whose == name]
        found[name] = {"n": len(mine), "granted": sum(mine), "rate": sum(mine) / len(mine)}
    return found
