# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: compares with the group that has most grants, instead of the highest rate
# ---
def gate(granted, group, limit, least):
    found = rates(granted, group)
    if len(found) < 2 or min(one["n"] for one in found.values()) < least:
        return "not enough data"
    high = found.pop(max(found, key=lambda name: found[name]["granted"]))
    ends = [ratio_interval(one["granted"], one["n"], high["granted"], high["n"]) for one in found.values()]
    if any(upper < limit for _, upper in ends):
        return "refuse"
    return "pass" if all(lower >= limit for lower, _ in ends) else "not enough data"
