# ---
# answers: ex3
# loses: {ex3-test-traffic: 1}
# why: asks whether the process is alive, and so sends requests to one that cannot score
# ---
def with_probes(deployment, slow, hang):
    made = copy.deepcopy(deployment)
    alive = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1}
    fit = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 2, "failureThreshold": 2}
    container = container_of(made)
    container["startupProbe"] = alive | {"failureThreshold": slow + 5}
    container["livenessProbe"] = alive | {"failureThreshold": hang - 2}
    container["readinessProbe"] = alive
    return made
