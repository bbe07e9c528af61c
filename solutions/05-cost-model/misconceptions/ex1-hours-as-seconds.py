# ---
# answers: ex1
# loses: {ex1-test-unit: 2}
# why: counts an hour as one second of load
# ---
def day_bill(loads, seconds, each, hour, least):
    """Return "machines", "eur", "request" and "work" of a day."""
    machines = [max(least, math.ceil(load / each)) for load in loads]
    eur = sum(machines) * hour
    requests = sum(loads)
    return {
        "machines": machines,
        "eur": eur,
        "request": eur / requests if requests else None,
        "work": requests * seconds / sum(machines),
    }
