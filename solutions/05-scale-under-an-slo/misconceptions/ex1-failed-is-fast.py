# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: counts a request without an answer as one that took no time
# ---
def percentile(latencies, q):
    times = sorted(latency or 0 for latency in latencies)
    return times[math.ceil(q * len(times) / 100) - 1]
