# ---
# answers: ex3
# loses: {ex3-test: 3}
# why: compares everybody, so it measures parity
# ---
def opportunity(people):
    share = people.groupby("group")["yes"].mean()
    gap = float(share["B"] - share["A"])
    known = people[people["repaid"].notna()].groupby("group")["yes"].mean()
    return {"labels": float(known["B"] - known["A"]) if len(known) == 2 else None, "truth": gap}
