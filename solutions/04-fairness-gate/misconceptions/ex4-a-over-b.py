# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: compares the second group with the first, whichever is higher
# ---
def gate(granted, group, limit, least):
    found = rates(granted, group)
    if len(found) < 2 or min(one["n"] for one in found.values()) < least:
        return "not enough data"
    first, *others = [found[name] for name in sorted(found)]
    ends = [ratio_interval(one["granted"], one["n"], first["granted"], first["n"]) for one in others]
    if any(upper < limit for _, upper in ends):
        return "refuse"
    return "pass" if all(lower >= limit for lower, _ in ends) else "not enough data"
