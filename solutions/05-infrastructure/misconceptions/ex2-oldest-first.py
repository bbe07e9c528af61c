# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: deletes the bucket before what depends on it
# ---
def plan(wanted, actual):
    """Return the changes that lead from what is there to what is wanted."""
    gone = [address for address in list(actual) if address not in wanted]
    rest = [address for address in wanted if wanted[address] != actual.get(address)]
    changes = []
    for address in gone + rest:
        before, after = actual.get(address), wanted.get(address)
        action = "create"
        if before is not None:
            action = "delete" if after is None else "update"
        body = {"actions": [action], "before": before, "after": after}
        kind = address.split(".")[0]
        changes.append({"address": address, "type": kind, "change": body})
    return changes
