# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: starts the wait anew with every arrival, so a steady stream waits for ever
# ---
def group(arrivals, max_batch, max_wait):
    found, first = [], 0
    while first < len(arrivals):
        size = 1
        while first + size < len(arrivals) and size < max_batch:
            if arrivals[first + size] > arrivals[first + size - 1] + max_wait:
                break
            size += 1
        last = arrivals[first + size - 1]
        found.append((last if size == max_batch else last + max_wait, size))
        first += size
    return found
