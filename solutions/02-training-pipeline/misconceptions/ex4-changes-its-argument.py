# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: adds the stale steps to the set that it was given
# ---
def stale(steps, changed):
    """Return the steps to run again, each after those it reads from."""
    order, left = [], set(steps)
    while left:
        ready = min(name for name in left if not left.intersection(steps[name]))
        order.append(ready)
        left.remove(ready)
        if changed.intersection(steps[ready]):
            changed.add(ready)
    return [name for name in order if name in changed]
