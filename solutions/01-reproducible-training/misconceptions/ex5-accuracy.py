# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: reports accuracy at one half under the name of AUC
# ---
def make_record(config, data, outcome, probability):
    accuracy = float(np.mean((probability > 0.5) == outcome))
    return {"config": dict(config), "data": data, "rows": len(outcome), "auc": round(accuracy, 6)}
