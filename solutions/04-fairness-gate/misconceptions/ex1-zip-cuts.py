# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: lets zip cut the longer list without a word
# ---
def rates(granted, group):
    found = {}
    for name in set(group):
        mine = [one for one, whose in zip(granted, group, strict=False) if whose == name]
        found[name] = {"n": len(mine), "granted": sum(mine), "rate": sum(mine) / max(1, len(mine))}
    return found
