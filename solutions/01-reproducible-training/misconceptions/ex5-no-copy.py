# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: keeps the config itself, which changes later under the record
# ---
def make_record(config, data, outcome, probability):
    auc = float(roc_auc_score(outcome, probability))
    return {"config": config, "data": data, "rows": len(outcome), "auc": round(auc, 6)}
