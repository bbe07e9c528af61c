# ---
# answers: ex4
# why: a series sorted twice, and a warning on stderr where there is no reason
# ---
import warnings


def pick(pushes, k=4, least=0.01, protected=("group",)):
    for name in protected:
        if name in pushes:
            raise ValueError(f"{name} is protected")
    strong = pd.Series(pushes, dtype=float).sort_index()
    strong = strong[strong >= least].sort_values(ascending=False, kind="stable")
    if strong.empty:
        warnings.warn("nothing pushes towards default", stacklevel=2)
    return strong.index[:k].tolist()
