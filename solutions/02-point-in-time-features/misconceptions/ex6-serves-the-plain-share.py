# ---
# answers: ex6
# loses: {ex6-test-serve: 2}
# why: "a second definition for serving: without the smoothing"
# ---
def materialise(store, outcomes, month):
    last = store["as_of"]
    if last is not None and month < last:
        raise ValueError("goes forward only")
    counts = {segment: list(pair) for segment, pair in store["counts"].items()}
    new = outcomes[outcomes["known_month"] < month]
    if last is not None:
        new = new[new["known_month"] >= last]
    for segment, bad in zip(new["segment"], new["defaulted"], strict=True):
        pair = counts.setdefault(segment, [0, 0])
        pair[0] += 1
        pair[1] += int(bad)
    return {"as_of": month, "counts": counts}


def serve(store, segment, prior=50):
    known, bad = store["counts"].get(segment, [0, 0])
    return bad / known if known else float("nan")
