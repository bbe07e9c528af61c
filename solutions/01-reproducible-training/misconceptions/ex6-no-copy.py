# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: keeps the dicts themselves, which change later under the record
# ---
def make_record(config, environment, inputs, model, outcome, probability):
    auc = float(roc_auc_score(outcome, probability))
    causes = {"config": config, "environment": environment, "inputs": inputs}
    return causes | {"model": model, "rows": len(outcome), "auc": round(auc, 6)}
