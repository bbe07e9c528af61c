# ---
# answers: ex4
# loses: {ex4-test: 3, ex4-test-worlds: 2}
# why: lets the ratio itself decide
# ---
def gate(granted, group, limit, least):
    found = rates(granted, group)
    if len(found) < 2 or min(one["n"] for one in found.values()) < least:
        return "not enough data"
    top = max(found, key=lambda name: found[name]["rate"])
    high = found.pop(top)
    ratios = [one["rate"] / high["rate"] if high["rate"] else 1 for one in found.values()]
    return "pass" if min(ratios) >= limit else "refuse"
