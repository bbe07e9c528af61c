# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: calls a group without outcomes equal
# ---
def opportunity(people):
    found = {}
    for name, column in (("labels", "repaid"), ("truth", "would_repay")):
        share = people[people[column].eq(True)].groupby("group")["yes"].mean()
        found[name] = float(share.get("B", 0) - share.get("A", 0)) if len(share) == 2 else 0.0
    return found
