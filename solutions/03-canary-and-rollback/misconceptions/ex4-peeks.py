# ---
# answers: ex4
# loses: {ex4-test: 2, ex4-test-data: 2}
# why: looks each day at p < 0.05
# ---
def stop_day(days, alpha, least):
    n, failed = np.zeros(2), np.zeros(2)
    for number, day in enumerate(days, start=1):
        if day["canary"] is None or day["baseline"] is None:
            continue
        n += [day["canary"][0], day["baseline"][0]]
        failed += [day["canary"][1], day["baseline"][1]]
        rate = failed.sum() / n.sum()
        spread = np.sqrt(rate * (1 - rate) * (1 / n).sum())
        worse = failed[0] / n[0] - failed[1] / n[1]
        if min(n) >= least and spread > 0 and worse > 1.645 * spread:
            return number
    return None
