# ---
# answers: ex4
# loses: {ex4-test: 4}
# why: writes an update into the state before the call, which then fails
# ---
def apply(state, planned, call):
    """Make the changes of a plan, keep the state true, and return its new serial."""
    if planned["serial"] != state["serial"]:
        raise ValueError("this plan is stale: plan again")
    for one in planned["resource_changes"]:
        what = one["change"]
        (action,), after = what["actions"], what["after"]
        if action == "update":
            state["resources"][one["address"]] = after
        call(action, one["address"], what["before"] if after is None else after)
        if after is None:
            del state["resources"][one["address"]]
        else:
            state["resources"][one["address"]] = after
        state["serial"] += 1
    return state["serial"]
