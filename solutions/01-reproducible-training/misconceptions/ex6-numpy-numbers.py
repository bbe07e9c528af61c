# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: keeps a NumPy integer that JSON refuses
# ---
def make_record(config, environment, inputs, model, outcome, probability):
    auc = float(roc_auc_score(outcome, probability))
    causes = {"config": dict(config), "environment": dict(environment), "inputs": dict(inputs)}
    return causes | {"model": model, "rows": np.int64(len(outcome)), "auc": round(auc, 6)}
