# ---
# answers: ex7
# why: checks everything, then writes
# ---
def receipt(request, found, left, reasons, before, after):
    stores = set(found) | set(left)
    rest = {store: left.get(store, 0) for store in stores}
    first = {store: found.get(store, 0) for store in stores}
    if any(rest[store] > first[store] for store in stores):
        raise ValueError("somebody still writes")
    open_ones = [store for store in stores if rest[store] > 0 and not reasons.get(store)]
    if open_ones:
        raise ValueError(f"no ground for {open_ones}")
    if first.get("lake", 0) > 0 and after == before:
        raise ValueError("train again")
    return {
        "request": request,
        "removed": {store: first[store] - rest[store] for store in stores},
        "stays": {s: {"rows": rest[s], "ground": reasons[s]} for s in stores if rest[s]},
        "model": {"before": before, "after": after},
    }
