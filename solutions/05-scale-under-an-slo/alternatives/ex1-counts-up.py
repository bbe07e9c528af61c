# ---
# answers: ex1
# why: counts upwards until enough were answered
# ---
def percentile(latencies, q):
    answered = sorted(latency for latency in latencies if latency is not None)
    for count, latency in enumerate(answered, 1):
        if 100 * count >= q * len(latencies):
            return latency
    return float("inf")
