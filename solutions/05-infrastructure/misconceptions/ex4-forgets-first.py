# ---
# answers: ex4
# loses: {ex4-test: 4}
# why: takes a resource out of the state before its delete, which then fails
# ---
def apply(state, planned, call):
    """Make the changes of a plan, keep the state true, and return its new serial."""
    if planned["serial"] != state["serial"]:
        raise ValueError("this plan is stale: plan again")
    for one in planned["resource_changes"]:
        what = one["change"]
        (action,), after = what["actions"], what["after"]
        if after is None:
            state["resources"].pop(one["address"])
        call(action, one["address"], what["before"] if after is None else after)
        if after is None:
            pass
        else:
            state["resources"][one["address"]] = after
        state["serial"] += 1
    return state["serial"]
