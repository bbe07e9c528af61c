# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-later: 1}
# why: sends every port of the Service to port 8000
# ---
def mend(service, deployment):
    mended = copy.deepcopy(service)
    mended["spec"]["selector"] = dict(deployment["spec"]["selector"]["matchLabels"])
    for port in mended["spec"]["ports"]:
        port["targetPort"] = 8000
    return mended
