# ---
# answers: ex3
# loses: {ex3-test-busy: 2}
# why: takes everybody who gathered while the server was busy, more than max_batch
# ---
def callers_wait(arrivals, max_batch, max_wait, call, row):
    found, free = [], -math.inf
    while len(found) < len(arrivals):
        first = len(found)
        ready = arrivals[first] + max_wait
        if first + max_batch <= len(arrivals):
            ready = min(ready, arrivals[first + max_batch - 1])
        start = max(ready, free)
        most = max_batch if free <= ready else len(arrivals)
        batch = [time for time in arrivals[first : first + most] if time <= start]
        free = start + call + row * len(batch)
        found += [free - time for time in batch]
    return found
