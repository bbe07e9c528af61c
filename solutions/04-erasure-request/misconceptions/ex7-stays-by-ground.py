# ---
# answers: ex7
# loses: {ex7-test: 3}
# why: names each store that has a ground, with no rows left, too
# ---
def receipt(request, found, left, reasons, before, after):
    """Return the receipt, or raise ValueError if the erasure is not done."""
    removed, stays = {}, {}
    for store in {*found, *left}:
        rows = left.get(store, 0)
        removed[store] = found.get(store, 0) - rows
        if removed[store] < 0:
            raise ValueError(f"{store} has more rows than before")
        if rows and reasons.get(store) is None:
            raise ValueError(f"{rows} rows are left in {store} without a ground")
        if reasons.get(store):
            stays[store] = {"rows": rows, "ground": reasons[store]}
    if found.get("lake", 0) and before == after:
        raise ValueError("the model is still the old one")
    model = {"before": before, "after": after}
    return {"request": request, "removed": removed, "stays": stays, "model": model}
