# ---
# answers: ex1
# loses: {ex1-test-unit: 2}
# why: divides the bill by the machines, not by the requests
# ---
def day_bill(loads, seconds, each, hour, least):
    """Return "machines", "eur", "request" and "work" of a day."""
    machines = [max(least, math.ceil(load / each)) for load in loads]
    eur = sum(machines) * hour
    requests = 3600 * sum(loads)
    return {
        "machines": machines,
        "eur": eur,
        "request": eur / sum(machines) if requests else None,
        "work": requests * seconds / (3600 * sum(machines)),
    }
