# ---
# answers: ex2
# why: a loop and a dict that is filled
# ---
def grounds(stores, person):
    found = {}
    for name in stores:
        found[name] = None
        if stores[name] in {"contract", "letter"} and person["claim_open"]:
            found[name] = "17(3)(e)"
        ends = person["contract_ends"]
        if stores[name] == "contract" and ends is not None and person["as_of"] - ends <= 60:
            found[name] = "17(3)(b)"
        if stores[name] == "commitment":
            found[name] = "anonymous"
    return found
