# ---
# answers: ex1
# loses: {ex1-test-unit: 2}
# why: the share is of what the machines may bear, not of the paid time
# ---
def day_bill(loads, seconds, each, hour, least):
    """Return "machines", "eur", "request" and "work" of a day."""
    machines = [max(least, math.ceil(load / each)) for load in loads]
    eur = sum(machines) * hour
    requests = 3600 * sum(loads)
    return {
        "machines": machines,
        "eur": eur,
        "request": eur / requests if requests else None,
        "work": sum(loads) / (sum(machines) * each),
    }
