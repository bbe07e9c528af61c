# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: turns away the request that would end exactly at the SLO
# ---
def shed(arrivals, service, slo):
    found, free = [], -math.inf
    for time in arrivals:
        end = max(time, free) + service
        if end - time < slo:
            free = end
            found.append(end - time)
        else:
            found.append(None)
    return found
