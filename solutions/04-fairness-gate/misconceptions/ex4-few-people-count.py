# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: does not look at how many people a group has
# ---
def gate(granted, group, limit, least):
    found = rates(granted, group)
    if len(found) < 2:
        return "not enough data"
    top = max(found, key=lambda name: found[name]["rate"])
    high = found.pop(top)
    ends = [ratio_interval(one["granted"], one["n"], high["granted"], high["n"]) for one in found.values()]
    if any(upper < limit for _, upper in ends):
        return "refuse"
    return "pass" if all(lower >= limit for lower, _ in ends) else "not enough data"
