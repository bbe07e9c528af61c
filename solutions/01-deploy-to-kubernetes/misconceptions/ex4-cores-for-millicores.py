# ---
# answers: ex4
# loses: {ex4-test: 2}
# why: forgets the m, and asks for hundreds of cores
# ---
def sized(deployment, node, copies):
    made = copy.deepcopy(deployment)
    cores = quantity(node["cpu"]) / copies
    size = quantity(node["memory"]) / copies
    request = {"cpu": str(int(cores * 1000)), "memory": f"{int(size / 2**20)}Mi"}
    container_of(made)["resources"] = {"requests": request, "limits": {"memory": request["memory"]}}
    return made
