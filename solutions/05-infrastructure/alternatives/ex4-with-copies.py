# ---
# answers: ex4
# why: walks with an index, and keeps copies in the state
# ---
def apply(state, planned, call):
    if state["serial"] != planned["serial"]:
        raise ValueError(f"planned on {planned['serial']}")
    todo = deepcopy(planned["resource_changes"])
    for number in range(len(todo)):
        address, body = todo[number]["address"], todo[number]["change"]
        if body["actions"] == ["delete"]:
            call("delete", address, body["before"])
            state["resources"].pop(address)
        else:
            call(body["actions"][0], address, body["after"])
            state["resources"].update({address: body["after"]})
        state["serial"] = planned["serial"] + number + 1
    return planned["serial"] + len(todo)
