# ---
# answers: ex2
# loses: {ex2-test: 3}
# why: makes a delete and a create of a changed name
# ---
def plan(wanted, actual):
    """Return the changes that lead from what is there to what is wanted."""
    gone = [address for address in reversed(actual) if address not in wanted]
    rest = [address for address in wanted if wanted[address] != actual.get(address)]
    changes = []
    for address in gone + rest:
        before, after = actual.get(address), wanted.get(address)
        action = "create"
        if before is not None:
            action = "delete" if after is None else "update"
        kind, steps = address.split(".")[0], [(action, before, after)]
        if action == "update" and name_of(kind, before) != name_of(kind, after):
            steps = [("delete", before, None), ("create", None, after)]
        for step, old, new in steps:
            body = {"actions": [step], "before": old, "after": new}
            changes.append({"address": address, "type": kind, "change": body})
    return changes
