# ---
# answers: ex4
# loses: {ex4-test: 4}
# why: thinks that a delete which fails was done by somebody else
# ---
def apply(state, planned, call):
    """Make the changes of a plan, keep the state true, and return its new serial."""
    if planned["serial"] != state["serial"]:
        raise ValueError("this plan is stale: plan again")
    for one in planned["resource_changes"]:
        what = one["change"]
        (action,), after = what["actions"], what["after"]
        try:
            call(action, one["address"], what["before"] if after is None else after)
        except ConnectionError:
            if after is not None:
                raise
        if after is None:
            del state["resources"][one["address"]]
        else:
            state["resources"][one["address"]] = after
        state["serial"] += 1
    return state["serial"]
