# ---
# answers: ex3
# why: counts in one loop
# ---
def opportunity(people):
    found = {}
    for name, column in (("labels", "repaid"), ("truth", "would_repay")):
        yes = {"A": [], "B": []}
        for row in people.to_dict("records"):
            if row[column] is not None and row[column] == True:  # noqa: E712
                yes[row["group"]].append(row["yes"])
        mean = {name: sum(one) / len(one) if one else None for name, one in yes.items()}
        found[name] = None if None in mean.values() else float(mean["B"] - mean["A"])
    return found
