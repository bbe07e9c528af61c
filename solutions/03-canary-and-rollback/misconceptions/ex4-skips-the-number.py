# ---
# answers: ex4
# loses: {ex4-test-data: 2}
# why: does not count a blind day as a day
# ---
def stop_day(days, alpha, least):
    sound = [day for day in days if None not in day.values()]
    answers, failed = np.zeros(2, int), np.zeros(2, int)
    for number, day in enumerate(sound, start=1):
        pairs = [day["canary"], day["baseline"]]
        answers += [pair[0] for pair in pairs]
        failed += [pair[1] for pair in pairs]
        if min(answers) >= least and evidence(*failed) >= math.log(1 / alpha):
            return number
    return None
