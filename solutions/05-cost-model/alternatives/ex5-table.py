# ---
# answers: ex5
# why: a frame, sorted; the error in milliseconds
# ---
import pandas as pd


def cheapest(tests, kinds, prices, load, promise, least):
    frame = pd.DataFrame(tests)
    kept = frame[frame["p99"] <= promise]
    if kept.empty:
        raise ValueError(f"not below {frame['p99'].min() * 1000:.2f} ms")
    best = kept.groupby(["kind", "batch"], as_index=False)["rate"].max()
    best["machines"] = np.ceil(load / best["rate"]).clip(lower=least).astype(int)
    hour = {kind: prices.machine_hour(vcpu=size[0], gb=size[1]) for kind, size in kinds.items()}
    best["month"] = best["kind"].map(hour) * best["machines"] * 730
    best["cents"] = best["month"].round(2)
    first = best.sort_values(["cents", "machines", "batch"]).iloc[0]
    return first[["kind", "batch", "machines", "month"]].to_dict()
