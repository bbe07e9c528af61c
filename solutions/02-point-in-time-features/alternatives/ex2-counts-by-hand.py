# ---
# answers: ex2
# why: plain loops over rows, another order of arithmetic
# ---
def rates_as_of(outcomes, segments, month, prior=50):
    n, bad = {}, {}
    for row in outcomes.itertuples():
        if row.known_month < month:
            n[row.segment] = n.get(row.segment, 0) + 1
            bad[row.segment] = bad.get(row.segment, 0) + row.defaulted
    if not n:
        return dict.fromkeys(segments, float("nan"))
    pull = prior * sum(bad.values()) / sum(n.values())
    return {name: (bad.get(name, 0) + pull) / (n.get(name, 0) + prior) for name in segments}
