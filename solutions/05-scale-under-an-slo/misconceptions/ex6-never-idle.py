# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: adds up the work and forgets that a server without requests stands still
# ---
def shed(arrivals, service, slo):
    found, free = [], arrivals[0] if arrivals else 0
    for time in arrivals:
        end = free + service
        if end - time <= slo:
            free = end
            found.append(end - time)
        else:
            found.append(None)
    return found
