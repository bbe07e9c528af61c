# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: copies the config and forgets that versions and hashes are passed as dicts, too
# ---
def make_record(config, environment, inputs, model, outcome, probability):
    auc = float(roc_auc_score(outcome, probability))
    causes = {"config": dict(config), "environment": environment, "inputs": inputs}
    return causes | {"model": model, "rows": len(outcome), "auc": round(auc, 6)}
