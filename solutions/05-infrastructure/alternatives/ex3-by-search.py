# ---
# answers: ex3
# why: looks through the account for each resource
# ---
def by_hand(state, account):
    changed, gone, known = {}, [], []
    for address, mine in state["resources"].items():
        kind = address.partition(".")[0]
        key = (kind, name_of(kind, mine))
        known.append(key)
        same = [
            one["attributes"] for one in account if one["type"] == kind and name_of(kind, one["attributes"]) == key[1]
        ]
        if not same:
            gone.append(address)
            continue
        for name, value in mine.items():
            if same[0].get(name) != value:
                pair = [value, same[0].get(name)]
                changed.setdefault(address, {})[name] = pair
    unknown = []
    for one in account:
        key = (one["type"], name_of(one["type"], one["attributes"]))
        if key not in known:
            unknown.append(" ".join(key))
    return {"changed": changed, "gone": gone, "unknown": sorted(unknown)}
