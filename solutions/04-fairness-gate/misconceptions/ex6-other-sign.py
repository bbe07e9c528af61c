# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: gives what the bank gains as its cost
# ---
def who_pays(before, after, group, profit):
    rows = list(zip(before, after, group, profit, strict=True))
    return {
        "cost": float(sum(eur * (new - old) for old, new, _, eur in rows)),
        "gained": {n: sum(new and not old for old, new, w, _ in rows if w == n) for n in set(group)},
        "lost": {n: sum(old and not new for old, new, w, _ in rows if w == n) for n in set(group)},
    }
