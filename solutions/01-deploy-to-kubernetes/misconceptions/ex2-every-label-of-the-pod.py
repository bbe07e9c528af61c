# ---
# answers: ex2
# loses: {ex2-test-later: 1}
# why: selects by all labels of this release, the number of the release among them
# ---
def mend(service, deployment):
    mended = copy.deepcopy(service)
    mended["spec"]["selector"] = dict(deployment["spec"]["template"]["metadata"]["labels"])
    for port in mended["spec"]["ports"]:
        port["targetPort"] = port["name"]
    return mended
