# ---
# answers: ex3
# why: arrays and a search instead of a list of who is there; NumPy numbers in the list
# ---
def callers_wait(arrivals, max_batch, max_wait, call, row):
    times = np.asarray(arrivals, dtype=float)
    ends = np.zeros(len(times))
    first, free = 0, float("-inf")
    while first < len(times):
        due = times[first] + max_wait
        full = times[first + max_batch - 1] if first + max_batch <= len(times) else np.inf
        start = max(free, min(due, full))
        size = min(max_batch, int(np.searchsorted(times, start, side="right")) - first)
        free = start + call + size * row
        ends[first : first + size] = free
        first += size
    return list(ends - times)
