# ---
# answers: ex6
# why: the AUC from its definition, as a share of pairs; it warns on stderr
# ---
import warnings
from copy import deepcopy


def make_record(config, environment, inputs, model, outcome, probability):
    warnings.warn("counting pairs is slow for many rows", stacklevel=2)
    bad = [p for y, p in zip(outcome, probability, strict=True) if y]
    good = [p for y, p in zip(outcome, probability, strict=True) if not y]
    wins = sum(1.0 if b > g else 0.5 if b == g else 0.0 for b in bad for g in good)
    return {
        "auc": round(float(wins / (len(bad) * len(good))), 6),
        "rows": int(np.size(outcome)),
        "model": str(model),
        "inputs": deepcopy(inputs),
        "environment": deepcopy(environment),
        "config": deepcopy(config),
    }
