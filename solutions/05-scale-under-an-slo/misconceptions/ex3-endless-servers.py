# ---
# answers: ex3
# loses: {ex3-test-busy: 2}
# why: starts every batch when it is ready, as if there were always another server
# ---
def callers_wait(arrivals, max_batch, max_wait, call, row):
    found = []
    while len(found) < len(arrivals):
        first = len(found)
        latest = arrivals[first] + max_wait
        batch = [time for time in arrivals[first : first + max_batch] if time <= latest]
        start = batch[-1] if len(batch) == max_batch else latest
        found += [start + call + row * len(batch) - time for time in batch]
    return found
