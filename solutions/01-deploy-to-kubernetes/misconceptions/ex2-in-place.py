# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: mends the Service that it was given instead of a copy
# ---
def mend(service, deployment):
    mended = service
    mended["spec"]["selector"] = dict(deployment["spec"]["selector"]["matchLabels"])
    for port in mended["spec"]["ports"]:
        port["targetPort"] = port["name"]
    return mended
