# ---
# answers: ex1
# loses: {ex1-test: 1}
# why: leaves the numbers of machines floats of NumPy
# ---
def day_bill(loads, seconds, each, hour, least):
    """Return "machines", "eur", "request" and "work" of a day."""
    machines = [max(least, np.ceil(load / each)) for load in loads]
    eur = sum(machines) * hour
    requests = 3600 * sum(loads)
    return {
        "machines": machines,
        "eur": eur,
        "request": eur / requests if requests else None,
        "work": requests * seconds / (3600 * sum(machines)),
    }
