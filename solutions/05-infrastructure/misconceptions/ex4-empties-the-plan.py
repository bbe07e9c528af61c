# ---
# answers: ex4
# loses: {ex4-test: 4}
# why: takes the changes out of the plan one by one
# ---
def apply(state, planned, call):
    """Make the changes of a plan, keep the state true, and return its new serial."""
    if planned["serial"] != state["serial"]:
        raise ValueError("this plan is stale: plan again")
    while planned["resource_changes"]:
        one = planned["resource_changes"].pop(0)
        what = one["change"]
        (action,), after = what["actions"], what["after"]
        call(action, one["address"], what["before"] if after is None else after)
        if after is None:
            del state["resources"][one["address"]]
        else:
            state["resources"][one["address"]] = after
        state["serial"] += 1
    return state["serial"]
