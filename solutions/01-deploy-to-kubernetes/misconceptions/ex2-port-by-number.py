# ---
# answers: ex2
# loses: {ex2-test-later: 1}
# why: writes the number down that the port has today
# ---
def mend(service, deployment):
    numbers = {port["name"]: port["containerPort"] for port in container_of(deployment)["ports"]}
    mended = copy.deepcopy(service)
    mended["spec"]["selector"] = dict(deployment["spec"]["selector"]["matchLabels"])
    for port in mended["spec"]["ports"]:
        port["targetPort"] = numbers[port["name"]]
    return mended
