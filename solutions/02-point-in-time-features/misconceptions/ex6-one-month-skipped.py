# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-serve: 2}
# why: "skips the month of the last run: what becomes known in it is never counted"
# ---
def materialise(store, outcomes, month):
    last = store["as_of"]
    if last is not None and month < last:
        raise ValueError("goes forward only")
    counts = {segment: list(pair) for segment, pair in store["counts"].items()}
    new = outcomes[outcomes["known_month"] < month]
    if last is not None:
        new = new[new["known_month"] > last]
    for segment, bad in zip(new["segment"], new["defaulted"], strict=True):
        pair = counts.setdefault(segment, [0, 0])
        pair[0] += 1
        pair[1] += int(bad)
    return {"as_of": month, "counts": counts}


def serve(store, segment, prior=50):
    counts = store["counts"]
    everybody = sum(pair[0] for pair in counts.values())
    if everybody == 0:
        return float("nan")
    overall = sum(pair[1] for pair in counts.values()) / everybody
    known, bad = counts.get(segment, [0, 0])
    return (bad + prior * overall) / (known + prior)
