# ---
# answers: ex5
# loses: {ex5-test-edges: 2}
# why: looks for the smallest p99 among the smallest batches only
# ---
def cheapest(tests, kinds, prices, load, promise, least):
    """Return "kind", "batch", "machines" and "month" of the cheapest setup."""
    bears = {}
    for test in tests:
        if test["p99"] <= promise:
            setup = test["kind"], test["batch"]
            bears[setup] = max(bears.get(setup, 0), test["rate"])
    if not bears:
        least_batch = min(test["batch"] for test in tests)
        best = min(test["p99"] for test in tests if test["batch"] == least_batch)
        raise ValueError(f"nothing keeps {promise} s; the smallest p99 is {best} s")
    found = []
    for (kind, batch), rate in bears.items():
        machines = max(least, math.ceil(load / rate))
        month = 730 * machines * prices.machine_hour(*kinds[kind])
        found.append((round(month, 2), machines, batch, kind, month))
    _, machines, batch, kind, month = min(found)
    return {"kind": kind, "batch": batch, "machines": machines, "month": month}
