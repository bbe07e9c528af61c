# ---
# answers: ex5
# why: keeps the best so far, computes the hour from the prices themselves, and rounds the bill
# ---
def cheapest(tests, kinds, prices, load, promise, least):
    best = None
    for kind, size in kinds.items():
        usd = size[0] * prices["vcpu_hour"] + size[1] * prices["gb_hour"]
        for batch in sorted({test["batch"] for test in tests}):
            rates = [
                test["rate"]
                for test in tests
                if test["kind"] == kind and test["batch"] == batch and not test["p99"] > promise
            ]
            if not rates:
                continue
            machines = max(least, math.ceil(load / max(rates)))
            month = machines * usd * prices["eur_per_usd"] * 730
            mine = {"kind": kind, "batch": batch, "machines": machines, "month": month}
            if best is None or better(mine, best):
                best = mine
    if best is None:
        raise ValueError(f"can promise {min(test['p99'] for test in tests):.4f} s at best")
    return best | {"month": round(best["month"], 2)}


def better(one, other):
    """Whether a setup goes before another."""
    if abs(one["month"] - other["month"]) > 0.005:
        return one["month"] < other["month"]
    return (one["machines"], one["batch"]) < (other["machines"], other["batch"])
