# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: reports accuracy at one half under the name of AUC
# ---
def make_record(config, environment, inputs, model, outcome, probability):
    accuracy = float(np.mean((probability > 0.5) == outcome))
    causes = {"config": dict(config), "environment": dict(environment), "inputs": dict(inputs)}
    return causes | {"model": model, "rows": len(outcome), "auc": round(accuracy, 6)}
