# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: counts places among the known values, so each gap shifts the minute
# ---
def change(values):
    known = np.array([value for value in values if value is not None], dtype=float)
    away = np.abs(np.cumsum(known - known.mean())[:-1])
    noise = np.sqrt((np.diff(known) ** 2).mean() / 2)
    if away.max() <= 1.63 * noise * np.sqrt(len(known)):
        return {"at": None, "before": float(known.mean()), "after": float(known.mean())}
    first = int(away.argmax()) + 1
    return {"at": first, "before": float(known[:first].mean()), "after": float(known[first:].mean())}
