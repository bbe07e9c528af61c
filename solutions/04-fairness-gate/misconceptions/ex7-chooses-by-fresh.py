# ---
# answers: ex7
# loses: {ex7-test: 3}
# why: chooses by the fresh people
# ---
def choose(models, group, fresh, tolerance):
    def ratio(model, *kinds):
        part = pd.DataFrame({"yes": model["granted"], "group": group})[[one in kinds for one in fresh]]
        share = part.groupby("group")["yes"].mean()
        return float(share.min() / share.max())

    best = max(model["auc"] for model in models)
    equals = [model for model in models if model["auc"] >= best - tolerance]
    chosen = max(equals, key=lambda model: ratio(model, True))
    return {
        "name": chosen["name"],
        "equals": len(equals),
        "seen": ratio(chosen, False),
        "fresh": ratio(chosen, True),
    }
