# ---
# answers: ex3
# loses: {ex3-test-hang: 1}
# why: kills after three seconds of silence, which a pause can be
# ---
def with_probes(deployment, slow, hang):
    made = copy.deepcopy(deployment)
    alive = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1}
    fit = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 2, "failureThreshold": 2}
    container = container_of(made)
    container["startupProbe"] = alive | {"failureThreshold": slow + 5}
    container["livenessProbe"] = alive | {"failureThreshold": 3}
    container["readinessProbe"] = fit
    return made
