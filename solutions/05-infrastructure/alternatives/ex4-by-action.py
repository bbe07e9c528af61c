# ---
# answers: ex4
# why: asks the action instead of what is there
# ---
def apply(state, planned, call):
    if planned["serial"] != state["serial"]:
        raise ValueError("stale")
    resources = state["resources"]
    for one in planned["resource_changes"]:
        address, body = one["address"], one["change"]
        action = body["actions"][0]
        call(action, address, body["before" if action == "delete" else "after"])
        resources.pop(address, None)
        if action != "delete":
            resources[address] = body["after"]
        state["serial"] = state["serial"] + 1
    return state["serial"]
