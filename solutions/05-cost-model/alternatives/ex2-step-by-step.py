# ---
# answers: ex2
# why: a list of the requests that are being served, and every number of machines in turn
# ---
def queue(arrivals, services, machines):
    ends, found = [], []
    for arrival, service in zip(arrivals, services, strict=True):
        ends = sorted(ends)[-machines:]
        start = arrival if len(ends) < machines else max(arrival, ends[0])
        ends.append(start + service)
        if len(ends) > machines:
            ends.remove(min(ends))
        found.append(float(start - arrival + service))
    return tuple(found)


def machines_for(arrivals, services, promise, least):
    for machines in range(least, least + len(arrivals) + 1):
        if np.percentile(queue(arrivals, services, machines), 99) <= promise:
            return np.int64(machines)
    raise ValueError(f"{promise} s cannot be kept")
