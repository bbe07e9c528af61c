# ---
# answers: ex4
# loses: {ex4-test: 4}
# why: writes the state when all is done, so that a failure forgets all
# ---
def apply(state, planned, call):
    """Make the changes of a plan, keep the state true, and return its new serial."""
    if planned["serial"] != state["serial"]:
        raise ValueError("this plan is stale: plan again")
    mine, serial = dict(state["resources"]), state["serial"]
    for one in planned["resource_changes"]:
        what = one["change"]
        (action,), after = what["actions"], what["after"]
        call(action, one["address"], what["before"] if after is None else after)
        if after is None:
            del mine[one["address"]]
        else:
            mine[one["address"]] = after
        serial += 1
    state.update(resources=mine, serial=serial)
    return serial
