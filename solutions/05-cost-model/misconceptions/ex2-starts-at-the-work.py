# ---
# answers: ex2
# loses: {ex2-test-size: 2}
# why: takes the machines that the work fills over the day for the fewest that can keep a promise
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
    span = arrivals[-1] - arrivals[0]
    first = max(least, math.ceil(sum(services) / span)) if span else least
    for machines in itertools.count(first):
        if np.quantile(queue(arrivals, services, machines), 0.99) <= promise:
            return machines
