# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: tells the net change only
# ---
def who_pays(before, after, group, profit):
    rows = list(zip(before, after, group, profit, strict=True))
    net = {name: sum(new - old for old, new, whose, _ in rows if whose == name) for name in set(group)}
    return {
        "cost": float(sum(eur * (old - new) for old, new, _, eur in rows)),
        "gained": {name: max(0, one) for name, one in net.items()},
        "lost": {name: max(0, -one) for name, one in net.items()},
    }
