# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: reports a latency between two that occurred
# ---
def percentile(latencies, q):
    times = [math.inf if latency is None else latency for latency in latencies]
    return float(np.percentile(times, q))
