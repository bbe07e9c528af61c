# ---
# answers: ex4
# loses: {ex4-test: 3, ex4-test-worlds: 2}
# why: refuses whatever is not shown to be fair
# ---
def gate(granted, group, limit, least):
    found = rates(granted, group)
    if len(found) < 2 or min(one["n"] for one in found.values()) < least:
        return "not enough data"
    top = max(found, key=lambda name: found[name]["rate"])
    high = found.pop(top)
    ends = [ratio_interval(one["granted"], one["n"], high["granted"], high["n"]) for one in found.values()]
    return "pass" if all(lower >= limit for lower, _ in ends) else "refuse"
