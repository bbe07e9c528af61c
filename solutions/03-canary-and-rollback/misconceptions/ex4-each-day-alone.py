# ---
# answers: ex4
# loses: {ex4-test: 2, ex4-test-data: 2}
# why: looks at each day alone and never at the sums
# ---
def stop_day(days, alpha, least):
    for number, day in enumerate(days, start=1):
        if day["canary"] is None or day["baseline"] is None:
            continue
        enough = min(day["canary"][0], day["baseline"][0]) >= least
        if enough and evidence(day["canary"][1], day["baseline"][1]) >= math.log(1 / alpha):
            return number
    return None
