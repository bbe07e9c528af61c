# ---
# answers: ex4
# loses: {ex4-test-data: 2}
# why: counts what one arm saw while the other was blind
# ---
def stop_day(days, alpha, least):
    answers, failed = np.zeros(2, int), np.zeros(2, int)
    for number, day in enumerate(days, start=1):
        pairs = [day["canary"] or (0, 0), day["baseline"] or (0, 0)]
        answers += [pair[0] for pair in pairs]
        failed += [pair[1] for pair in pairs]
        if min(answers) >= max(least, 1) and evidence(*failed) >= math.log(1 / alpha):
            return number
    return None
