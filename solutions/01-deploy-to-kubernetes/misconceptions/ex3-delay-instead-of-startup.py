# ---
# answers: ex3
# loses: {ex3-test-hang: 1}
# why: waits a fixed time before the first look, in which a quick starter may hang unseen
# ---
def with_probes(deployment, slow, hang):
    made = copy.deepcopy(deployment)
    alive = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1}
    fit = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 2, "failureThreshold": 2}
    container = container_of(made)
    container["livenessProbe"] = alive | {"failureThreshold": hang - 2, "initialDelaySeconds": slow + 1}
    container["readinessProbe"] = fit
    return made
