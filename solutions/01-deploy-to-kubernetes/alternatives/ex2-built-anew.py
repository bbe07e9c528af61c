# ---
# answers: ex2
# why: puts the parts together anew instead of changing a copy
# ---
def mend(service, deployment):
    ports = [{**port, "targetPort": port["name"]} for port in service["spec"]["ports"]]
    wanted = deployment["spec"]["selector"]["matchLabels"].copy()
    return {**service, "spec": {**service["spec"], "selector": wanted, "ports": ports}}
