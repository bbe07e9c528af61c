# ---
# answers: ex7
# loses: {ex7-test: 3}
# why: adds up all stores, so what one writes hides behind what another gave
# ---
def receipt(request, found, left, reasons, before, after):
    """Return the receipt, or raise ValueError if the erasure is not done."""
    removed, stays = {}, {}
    if sum(left.values()) > sum(found.values()):
        raise ValueError("there are more rows than before")
    for store in {*found, *left}:
        rows = left.get(store, 0)
        removed[store] = found.get(store, 0) - rows
        if rows and reasons.get(store) is None:
            raise ValueError(f"{rows} rows are left in {store} without a ground")
        if rows:
            stays[store] = {"rows": rows, "ground": reasons[store]}
    if found.get("lake", 0) and before == after:
        raise ValueError("the model is still the old one")
    model = {"before": before, "after": after}
    return {"request": request, "removed": removed, "stays": stays, "model": model}
