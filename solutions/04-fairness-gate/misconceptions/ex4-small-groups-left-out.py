# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: leaves small groups out and judges the others
# ---
def gate(granted, group, limit, least):
    found = {name: one for name, one in rates(granted, group).items() if one["n"] >= least}
    if len(found) < 2:
        return "not enough data"
    high = found.pop(max(found, key=lambda name: found[name]["rate"]))
    ends = [ratio_interval(one["granted"], one["n"], high["granted"], high["n"]) for one in found.values()]
    if any(upper < limit for _, upper in ends):
        return "refuse"
    return "pass" if all(lower >= limit for lower, _ in ends) else "not enough data"
