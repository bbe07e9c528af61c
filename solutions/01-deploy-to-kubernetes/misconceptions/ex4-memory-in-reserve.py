# ---
# answers: ex4
# loses: {ex4-test-limits: 1}
# why: lets the container use twice the memory that was set aside for it
# ---
def sized(deployment, node, copies):
    made = copy.deepcopy(deployment)
    cores = quantity(node["cpu"]) / copies
    size = quantity(node["memory"]) / copies
    request = {"cpu": f"{int(cores * 1000)}m", "memory": f"{int(size / 2**20)}Mi"}
    container_of(made)["resources"] = {"requests": request, "limits": {"memory": f"{2 * int(size / 2**20)}Mi"}}
    return made
