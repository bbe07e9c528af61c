# ---
# answers: ex4
# loses: {ex4-test-limits: 1}
# why: limits the CPU, too, and so slows a pod down on an idle node
# ---
def sized(deployment, node, copies):
    made = copy.deepcopy(deployment)
    cores = quantity(node["cpu"]) / copies
    size = quantity(node["memory"]) / copies
    request = {"cpu": f"{int(cores * 1000)}m", "memory": f"{int(size / 2**20)}Mi"}
    container_of(made)["resources"] = {"requests": request, "limits": dict(request)}
    return made
