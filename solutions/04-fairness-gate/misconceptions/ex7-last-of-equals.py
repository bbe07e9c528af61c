# ---
# answers: ex7
# loses: {ex7-test: 3}
# why: takes the last of several models with the highest ratio
# ---
def choose(models, group, fresh, tolerance):
    def ratio(model, wanted):
        rows = [number for number, new in enumerate(fresh) if new == wanted]
        found = rates([model["granted"][n] for n in rows], [group[n] for n in rows])
        shares = [one["rate"] for one in found.values()]
        return min(shares) / max(shares)

    best = max(model["auc"] for model in models)
    equals = [model for model in models if model["auc"] >= best - tolerance]
    chosen = sorted(equals, key=lambda model: ratio(model, False))[-1]
    return {
        "name": chosen["name"],
        "equals": len(equals),
        "seen": ratio(chosen, False),
        "fresh": ratio(chosen, True),
    }
