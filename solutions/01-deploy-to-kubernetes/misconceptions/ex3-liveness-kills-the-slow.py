# ---
# answers: ex3
# loses: {ex3-test: 2}
# why: has no startup probe, so the liveness probe kills whoever starts slowly
# ---
def with_probes(deployment, slow, hang):
    made = copy.deepcopy(deployment)
    alive = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1}
    fit = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 2, "failureThreshold": 2}
    container = container_of(made)
    container["livenessProbe"] = alive | {"failureThreshold": hang - 2}
    container["readinessProbe"] = fit
    return made
