# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: adds the time of the run, so that no two records can be equal
# ---
import time


def make_record(config, environment, inputs, model, outcome, probability):
    auc = float(roc_auc_score(outcome, probability))
    causes = {"config": dict(config), "environment": dict(environment), "inputs": dict(inputs)}
    return causes | {"model": model, "rows": len(outcome), "auc": round(auc, 6), "finished_at": time.time()}
