# ---
# answers: ex2
# loses: {ex2-test-size: 2}
# why: takes a promise that ten machines do not keep for one that nobody keeps
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
    alone = np.quantile(services, 0.99)
    if alone > promise:
        raise ValueError(f"a lone caller waits {alone} s, longer than {promise} s")
    for machines in range(least, max(least, 10) + 1):
        if np.quantile(queue(arrivals, services, machines), 0.99) <= promise:
            return machines
    raise ValueError(f"no number of machines keeps {promise} s")
