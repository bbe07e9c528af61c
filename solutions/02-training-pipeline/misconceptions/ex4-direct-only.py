# ---
# answers: ex4
# loses: {ex4-test: 2, ex4-test-order: 1}
# why: looks one step down only, not at what reads from that
# ---
def stale(steps, changed):
    order, left = [], set(steps)
    while left:
        ready = min(name for name in left if not left.intersection(steps[name]))
        order.append(ready)
        left.remove(ready)
    return [name for name in order if name in changed or set(changed).intersection(steps[name])]
