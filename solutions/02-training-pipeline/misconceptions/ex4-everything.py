# ---
# answers: ex4
# loses: {ex4-test: 2, ex4-test-order: 1}
# why: runs everything as soon as anything changed
# ---
def stale(steps, changed):
    order, left = [], set(steps)
    while left:
        ready = min(name for name in left if not left.intersection(steps[name]))
        order.append(ready)
        left.remove(ready)
    return order if changed else []
