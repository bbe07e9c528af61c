# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: knows two groups by name and forgets others
# ---
def rates(granted, group):
    if len(granted) != len(group):
        raise ValueError("lengths differ")
    found = {}
    for name in ("A", "B"):
        mine = [one for one, whose in zip(granted, group, strict=True) if whose == name]
        found[name] = {"n": len(mine), "granted": sum(mine), "rate": sum(mine) / max(1, len(mine))}
    return found
