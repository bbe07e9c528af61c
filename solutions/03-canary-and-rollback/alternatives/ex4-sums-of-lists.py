# ---
# answers: ex4
# why: adds up the days before each day
# ---
def stop_day(days, alpha, least):
    for number in range(1, len(days) + 1):
        sound = [day for day in days[:number] if day["canary"] and day["baseline"]]
        both = [[day[name] for day in sound] for name in ("canary", "baseline")]
        answers = [sum(pair[0] for pair in arm) for arm in both]
        failed = [sum(pair[1] for pair in arm) for arm in both]
        if sound and min(answers) >= least and evidence(*failed) + math.log(alpha) >= 0:
            return number
    return None
