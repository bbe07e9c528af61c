# ---
# answers: ex5
# loses: {ex5-test-edges: 2}
# why: lists all that was measured and leaves the reader to look
# ---
def cheapest(tests, kinds, prices, load, promise, least):
    """Return "kind", "batch", "machines" and "month" of the cheapest setup."""
    bears = {}
    for test in tests:
        if test["p99"] <= promise:
            setup = test["kind"], test["batch"]
            bears[setup] = max(bears.get(setup, 0), test["rate"])
    if not bears:
        best = sorted(test["p99"] for test in tests)
        raise ValueError(f"nothing keeps {promise} s; the p99s are {best}")
    found = []
    for (kind, batch), rate in bears.items():
        machines = max(least, math.ceil(load / rate))
        month = 730 * machines * prices.machine_hour(*kinds[kind])
        found.append((round(month, 2), machines, batch, kind, month))
    _, machines, batch, kind, month = min(found)
    return {"kind": kind, "batch": batch, "machines": machines, "month": month}
