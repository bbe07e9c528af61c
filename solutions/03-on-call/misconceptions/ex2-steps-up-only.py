# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: looks for a fall of the running sum only, so misses a level that falls
# ---
def change(values):
    places = [place for place, value in enumerate(values) if value is not None]
    known = np.array([values[place] for place in places], dtype=float)
    away = -np.cumsum(known - known.mean())[:-1]
    noise = np.sqrt((np.diff(known) ** 2).mean() / 2)
    if away.max() <= 1.63 * noise * np.sqrt(len(known)):
        return {"at": None, "before": float(known.mean()), "after": float(known.mean())}
    first = int(away.argmax()) + 1
    return {"at": places[first], "before": float(known[:first].mean()), "after": float(known[first:].mean())}
