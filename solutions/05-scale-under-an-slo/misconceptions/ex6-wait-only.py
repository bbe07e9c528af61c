# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: holds the wait against the SLO and forgets the service that comes after it
# ---
def shed(arrivals, service, slo):
    found, free = [], -math.inf
    for time in arrivals:
        start = max(time, free)
        if start - time <= slo:
            free = start + service
            found.append(free - time)
        else:
            found.append(None)
    return found
