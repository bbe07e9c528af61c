# ---
# answers: ex2
# why: a heap of the moments, an array as the answer, and a search by halves
# ---
import heapq


def queue(arrivals, services, machines):
    moments = [0.0] * machines
    seen = np.zeros(len(arrivals))
    for place, arrival in enumerate(arrivals):
        ends = max(arrival, heapq.heappop(moments)) + services[place]
        heapq.heappush(moments, ends)
        seen[place] = ends - arrival
    return seen


def machines_for(arrivals, services, promise, least):
    def keeps(machines):
        return np.quantile(queue(arrivals, services, machines), 0.99) <= promise + 1e-9

    low, high = least, max(least, len(arrivals))
    if not keeps(high):
        raise ValueError("even with a machine for each request the p99 is too long")
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle + 1, high)
    return low
