# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: writes M, a million bytes, for Mi
# ---
def sized(deployment, node, copies):
    made = copy.deepcopy(deployment)
    cores = quantity(node["cpu"]) / copies
    size = quantity(node["memory"]) / copies
    request = {"cpu": f"{int(cores * 1000)}m", "memory": f"{int(size / 2**20)}M"}
    container_of(made)["resources"] = {"requests": request, "limits": {"memory": request["memory"]}}
    return made
