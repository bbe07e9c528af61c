# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: fills the unknown outcomes in the table that it was given
# ---
def opportunity(people):
    people["repaid"] = people["repaid"].eq(True)
    found = {}
    for name, column in (("labels", "repaid"), ("truth", "would_repay")):
        share = people[people[column]].groupby("group")["yes"].mean()
        found[name] = float(share["B"] - share["A"]) if {"A", "B"} <= set(share.index) else None
    return found
