# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: lets the last batch start with its last arrival, as if one knew that nobody else comes
# ---
def group(arrivals, max_batch, max_wait):
    found, first = [], 0
    while first < len(arrivals):
        latest = arrivals[first] + max_wait
        batch = [time for time in arrivals[first : first + max_batch] if time <= latest]
        alone = len(batch) == 1 and first + 1 == len(arrivals)
        found.append((batch[-1] if alone or len(batch) == max_batch else latest, len(batch)))
        first += len(batch)
    return found
