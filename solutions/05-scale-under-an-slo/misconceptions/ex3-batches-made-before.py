# ---
# answers: ex3
# loses: {ex3-test-busy: 2}
# why: groups by arrival alone and queues the batches, so nothing gathers while the server is busy
# ---
def callers_wait(arrivals, max_batch, max_wait, call, row):
    found, free, first = [], -math.inf, 0
    while first < len(arrivals):
        latest = arrivals[first] + max_wait
        batch = [time for time in arrivals[first : first + max_batch] if time <= latest]
        start = max(batch[-1] if len(batch) == max_batch else latest, free)
        free = start + call + row * len(batch)
        found += [free - time for time in batch]
        first += len(batch)
    return found
