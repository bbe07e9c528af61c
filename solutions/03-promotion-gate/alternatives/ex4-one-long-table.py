# ---
# answers: ex4
# why: all slices in one long table, judged by pandas
# ---
def slices(table, columns):
    long = table[["gain", *columns]].astype(dict.fromkeys(columns, object)).melt("gain")
    names = long["variable"] + "=" + long["value"].fillna("missing").astype(str)
    told = long.groupby(names)["gain"].agg(["size", "mean", "std"])
    judged = told[told["size"] >= 100]
    p_value = norm.cdf(judged["mean"] / (judged["std"] / judged["size"] ** 0.5))
    harmed = judged.index[p_value <= 0.05 / max(len(judged), 1)]
    small = told.index[told["size"] < 100]
    return {"harmed": sorted(harmed), "too_small": sorted(small)}
