# ---
# answers: ex4
# loses: {ex4-test-data: 2}
# why: asks for enough answers of the canary only
# ---
def stop_day(days, alpha, least):
    answers, failed = np.zeros(2, int), np.zeros(2, int)
    for number, day in enumerate(days, start=1):
        pairs = [day["canary"], day["baseline"]]
        if None in pairs:
            continue
        answers += [pair[0] for pair in pairs]
        failed += [pair[1] for pair in pairs]
        if answers[0] >= least and evidence(*failed) >= math.log(1 / alpha):
            return number
    return None
