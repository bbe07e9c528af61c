# ---
# answers: ex1
# loses: {ex1-test: 1, ex1-test-unit: 2}
# why: takes another machine where the load is just borne
# ---
def day_bill(loads, seconds, each, hour, least):
    """Return "machines", "eur", "request" and "work" of a day."""
    machines = [max(least, math.floor(load / each) + 1) for load in loads]
    eur = sum(machines) * hour
    requests = 3600 * sum(loads)
    return {
        "machines": machines,
        "eur": eur,
        "request": eur / requests if requests else None,
        "work": requests * seconds / (3600 * sum(machines)),
    }
