# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: leaves out the request that arrives exactly when the wait is over
# ---
def group(arrivals, max_batch, max_wait):
    found, first = [], 0
    while first < len(arrivals):
        latest = arrivals[first] + max_wait
        size = 1
        while first + size < len(arrivals) and size < max_batch and arrivals[first + size] < latest:
            size += 1
        found.append((arrivals[first + size - 1] if size == max_batch else latest, size))
        first += size
    return found
