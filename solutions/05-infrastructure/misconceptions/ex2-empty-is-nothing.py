# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: takes a resource without attributes for none
# ---
def plan(wanted, actual):
    """Return the changes that lead from what is there to what is wanted."""
    gone = [address for address in reversed(actual) if address not in wanted]
    rest = [address for address in wanted if wanted[address] != actual.get(address)]
    changes = []
    for address in gone + rest:
        before, after = actual.get(address) or None, wanted.get(address)
        action = "create"
        if before is not None:
            action = "delete" if after is None else "update"
        body = {"actions": [action], "before": before, "after": after}
        kind = address.split(".")[0]
        changes.append({"address": address, "type": kind, "change": body})
    return changes
