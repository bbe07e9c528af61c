# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: looks at the group with the lowest rate only, whatever the others leave open
# ---
def gate(granted, group, limit, least):
    found = rates(granted, group)
    if len(found) < 2 or min(one["n"] for one in found.values()) < least:
        return "not enough data"
    top = max(found, key=lambda name: found[name]["rate"])
    high = found.pop(top)
    one = min(found.values(), key=lambda one: one["rate"])
    lower, upper = ratio_interval(one["granted"], one["n"], high["granted"], high["n"])
    if upper < limit:
        return "refuse"
    return "pass" if lower >= limit else "not enough data"
