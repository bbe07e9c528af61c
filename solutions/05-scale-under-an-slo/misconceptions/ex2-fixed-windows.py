# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: cuts time into windows of max_wait instead of counting from the first of a batch
# ---
def group(arrivals, max_batch, max_wait):
    found, first = [], 0
    while first < len(arrivals):
        latest = (arrivals[first] // max_wait + 1) * max_wait if max_wait else arrivals[first]
        batch = [time for time in arrivals[first : first + max_batch] if time <= latest]
        found.append((batch[-1] if len(batch) == max_batch else latest, len(batch)))
        first += len(batch)
    return found
