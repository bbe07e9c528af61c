# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: rounds the rank down, so fewer than q percent were answered by then
# ---
def percentile(latencies, q):
    times = sorted(math.inf if latency is None else latency for latency in latencies)
    return times[max(math.floor(q * len(times) / 100) - 1, 0)]
