# ---
# answers: ex4
# loses: {ex4-test: 4}
# why: applies a plan whatever happened since
# ---
def apply(state, planned, call):
    """Make the changes of a plan, keep the state true, and return its new serial."""
    for one in planned["resource_changes"]:
        what = one["change"]
        (action,), after = what["actions"], what["after"]
        call(action, one["address"], what["before"] if after is None else after)
        if after is None:
            del state["resources"][one["address"]]
        else:
            state["resources"][one["address"]] = after
        state["serial"] += 1
    return state["serial"]
