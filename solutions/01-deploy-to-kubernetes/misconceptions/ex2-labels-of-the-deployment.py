# ---
# answers: ex2
# loses: {ex2-test: 2, ex2-test-later: 1}
# why: selects by the Deployment's own labels; a Service looks at pods
# ---
def mend(service, deployment):
    mended = copy.deepcopy(service)
    mended["spec"]["selector"] = dict(deployment["metadata"]["labels"])
    for port in mended["spec"]["ports"]:
        port["targetPort"] = port["name"]
    return mended
