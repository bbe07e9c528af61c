# ---
# answers: ex1
# loses: {ex1-test: 1, ex1-test-unit: 2}
# why: sizes every hour by the mean load
# ---
def day_bill(loads, seconds, each, hour, least):
    """Return "machines", "eur", "request" and "work" of a day."""
    machines = [max(least, math.ceil(np.mean(loads) / each))] * len(loads)
    eur = sum(machines) * hour
    requests = 3600 * sum(loads)
    return {
        "machines": machines,
        "eur": eur,
        "request": eur / requests if requests else None,
        "work": requests * seconds / (3600 * sum(machines)),
    }
