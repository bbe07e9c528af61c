# ---
# answers: ex3
# loses: {ex3-test-traffic: 1}
# why: kills a container because it cannot score just now, which a restart does not mend
# ---
def with_probes(deployment, slow, hang):
    made = copy.deepcopy(deployment)
    alive = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1}
    fit = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 2, "failureThreshold": 2}
    container = container_of(made)
    container["startupProbe"] = alive | {"failureThreshold": slow + 5}
    container["livenessProbe"] = fit | {"periodSeconds": 1, "failureThreshold": hang - 2}
    container["readinessProbe"] = fit
    return made
