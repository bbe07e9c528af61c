# ---
# answers: ex4
# loses: {ex4-test-data: 2}
# why: takes an arm that reported nothing for one without failures
# ---
def stop_day(days, alpha, least):
    answers, failed = np.zeros(2, int), np.zeros(2, int)
    for number, day in enumerate(days, start=1):
        pairs = [day["canary"] or (0, 0), day["baseline"] or (0, 0)]
        answers += [pair[0] for pair in pairs]
        failed += [pair[1] for pair in pairs]
        if max(answers) >= least and evidence(*failed) >= math.log(1 / alpha):
            return number
    return None
