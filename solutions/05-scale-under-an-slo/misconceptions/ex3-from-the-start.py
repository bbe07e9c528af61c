# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-busy: 2}
# why: measures the work only, not what the caller waited before it
# ---
def callers_wait(arrivals, max_batch, max_wait, call, row):
    found, free = [], -math.inf
    while len(found) < len(arrivals):
        first = len(found)
        ready = arrivals[first] + max_wait
        if first + max_batch <= len(arrivals):
            ready = min(ready, arrivals[first + max_batch - 1])
        start = max(ready, free)
        size = sum(time <= start for time in arrivals[first : first + max_batch])
        free = start + call + row * size
        found += [call + row * size] * size
    return found
