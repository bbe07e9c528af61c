# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-busy: 2}
# why: answers each row of a batch as it is done, though a call returns once
# ---
def callers_wait(arrivals, max_batch, max_wait, call, row):
    found, free = [], -math.inf
    while len(found) < len(arrivals):
        first = len(found)
        ready = arrivals[first] + max_wait
        if first + max_batch <= len(arrivals):
            ready = min(ready, arrivals[first + max_batch - 1])
        start = max(ready, free)
        batch = [time for time in arrivals[first : first + max_batch] if time <= start]
        free = start + call + row * len(batch)
        found += [start + call + row * (place + 1) - time for place, time in enumerate(batch)]
    return found
