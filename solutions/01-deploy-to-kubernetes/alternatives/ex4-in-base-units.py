# ---
# answers: ex4
# why: in cores with decimals and in bytes, by whole-number division
# ---
def sized(deployment, node, copies):
    made = copy.deepcopy(deployment)
    cores = (quantity(node["cpu"]) * 1000 // copies) / 1000
    memory = quantity(node["memory"]) // (copies * 1024 * 1024) * 1024 * 1024
    made["spec"]["template"]["spec"]["containers"][0]["resources"] = {
        "requests": {"cpu": str(float(cores)), "memory": str(int(memory))},
        "limits": {"memory": f"{int(memory) // 1024}Ki"},
    }
    return made
