# ---
# answers: ex3
# loses: {ex3-test: 4}
# why: sorts what is gone
# ---
def by_hand(state, account):
    """Return what somebody changed, removed or made beside the tool."""
    there = {}
    for one in account:
        name = name_of(one["type"], one["attributes"])
        there[one["type"], name] = one["attributes"]
    changed, gone = {}, []
    for address, mine in state["resources"].items():
        kind = address.split(".")[0]
        found = there.pop((kind, name_of(kind, mine)), None)
        if found is None:
            gone.append(address)
            continue
        pairs = {key: [value, found.get(key)] for key, value in mine.items()}
        other = {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}
        if other:
            changed[address] = other
    unknown = sorted(f"{kind} {name}" for kind, name in there)
    return {"changed": changed, "gone": sorted(gone), "unknown": unknown}
