# ---
# answers: ex1
# why: whole arrays at once
# ---
def day_bill(loads, seconds, each, hour, least):
    load = np.asarray(loads, dtype=float)
    machines = np.maximum(np.ceil(load / each), least).astype(int)
    paid = machines.sum()
    day = {"machines": machines.tolist(), "eur": float(paid * hour), "request": None, "work": 0}
    if load.any():
        day.update(request=float(paid * hour / load.sum() / 3600), work=float(load.sum() * seconds / paid))
    return day
