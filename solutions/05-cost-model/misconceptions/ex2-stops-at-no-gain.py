# ---
# answers: ex2
# loses: {ex2-test-size: 2}
# why: gives up as soon as one more machine does not lower the p99
# ---
def queue(arrivals, services, machines):
    """Return the latency of each request, seconds."""
    free, seen = [-math.inf] * machines, []
    for arrival, service in zip(arrivals, services, strict=True):
        first = free.index(min(free))
        wait = max(0, free[first] - arrival)
        free[first] = arrival + wait + service
        seen.append(wait + service)
    return seen


def machines_for(arrivals, services, promise, least):
    """Return the smallest number of machines that keeps the promise."""
    before = math.inf
    for machines in itertools.count(least):
        p99 = np.quantile(queue(arrivals, services, machines), 0.99)
        if p99 <= promise:
            return machines
        if p99 >= before:
            raise ValueError(f"more than {machines} machines do not help: {p99} s")
        before = p99
