# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: leaves the unanswered requests out, so a service that fails looks fast
# ---
def percentile(latencies, q):
    times = sorted(latency for latency in latencies if latency is not None)
    return times[math.ceil(q * len(times) / 100) - 1] if times else math.inf
