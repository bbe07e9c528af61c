# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: keeps a NumPy integer that JSON refuses
# ---
def make_record(config, data, outcome, probability):
    auc = float(roc_auc_score(outcome, probability))
    return {"config": dict(config), "data": data, "rows": np.int64(len(outcome)), "auc": round(auc, 6)}
