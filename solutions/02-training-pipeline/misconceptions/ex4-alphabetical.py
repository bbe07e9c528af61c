# ---
# answers: ex4
# loses: {ex4-test: 2, ex4-test-order: 1}
# why: sorts by name alone, so a step may run before what it reads from
# ---
def stale(steps, changed):
    dirty = set(changed)
    for _ in steps:
        dirty |= {name for name, reads in steps.items() if dirty.intersection(reads)}
    return sorted(name for name in dirty if name in steps)
