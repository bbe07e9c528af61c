# ---
# answers: ex5
# why: the same rate in each group by quantiles, without the library
# ---
def equal_rates(past, people, seed):
    def utility(share):
        total = 0
        cuts = past.groupby("group")["score"].transform(lambda s: s.quantile(1 - share))
        yes = past["score"] > cuts
        return yes[past["repaid"]].mean() - yes[~past["repaid"]].mean()

    share = max(np.linspace(0.05, 0.95, 46), key=utility)
    cuts = past.groupby("group")["score"].quantile(1 - share)
    return [bool(score > cuts[name]) for score, name in zip(people["score"], people["group"], strict=True)]
