# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: takes the spread of all values for the noise, which the step itself makes larger
# ---
def change(values):
    places = [place for place, value in enumerate(values) if value is not None]
    known = np.array([values[place] for place in places], dtype=float)
    away = np.abs(np.cumsum(known - known.mean())[:-1])
    if away.max() <= 1.63 * known.std() * np.sqrt(len(known)):
        return {"at": None, "before": float(known.mean()), "after": float(known.mean())}
    first = int(away.argmax()) + 1
    return {"at": places[first], "before": float(known[:first].mean()), "after": float(known[first:].mean())}
