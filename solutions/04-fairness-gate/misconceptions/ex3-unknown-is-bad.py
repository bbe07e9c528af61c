# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: measures by labels over everybody, and takes no outcome for a default in one number only
# ---
def opportunity(people):
    found = {}
    for name, good in (("labels", people[people["repaid"].notna()]), ("truth", people[people["would_repay"]])):
        share = good.groupby("group")["yes"].mean()
        found[name] = float(share["B"] - share["A"]) if {"A", "B"} <= set(share.index) else None
    return found
