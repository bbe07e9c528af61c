# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: rounds up, so that the last pod finds no room
# ---
def sized(deployment, node, copies):
    made = copy.deepcopy(deployment)
    millicores = -int(-quantity(node["cpu"]) * 1000 // copies)
    mebibytes = -int(-quantity(node["memory"]) // 2**20 // copies)
    request = {"cpu": f"{millicores}m", "memory": f"{mebibytes}Mi"}
    container_of(made)["resources"] = {"requests": request, "limits": {"memory": request["memory"]}}
    return made
