# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: lets those who were turned away occupy the server
# ---
def shed(arrivals, service, slo):
    found, free = [], -math.inf
    for time in arrivals:
        free = max(time, free) + service
        found.append(free - time if free - time <= slo else None)
    return found
