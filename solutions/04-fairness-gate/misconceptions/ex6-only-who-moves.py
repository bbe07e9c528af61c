# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: leaves out a group of whom nobody is moved
# ---
def who_pays(before, after, group, profit):
    bill = {"cost": 0.0, "gained": {}, "lost": {}}
    for old, new, name, eur in zip(before, after, group, profit, strict=True):
        bill["cost"] += eur * (old - new)
        if old != new:
            side = bill["gained" if new else "lost"]
            side[name] = side.get(name, 0) + 1
    return bill
