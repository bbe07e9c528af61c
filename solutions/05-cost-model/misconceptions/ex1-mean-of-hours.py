# ---
# answers: ex1
# loses: {ex1-test-unit: 2}
# why: averages the prices of the hours instead of dividing the bill of the day
# ---
def day_bill(loads, seconds, each, hour, least):
    """Return "machines", "eur", "request" and "work" of a day."""
    machines = [max(least, math.ceil(load / each)) for load in loads]
    eur = sum(machines) * hour
    requests = 3600 * sum(loads)
    return {
        "machines": machines,
        "eur": eur,
        "request": float(
            np.mean([count * hour / load / 3600 for count, load in zip(machines, loads, strict=True) if load])
        )
        if requests
        else None,
        "work": requests * seconds / (3600 * sum(machines)),
    }
