# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-hang: 1, ex3-test-traffic: 1}
# why: counts failures as if each took a second, and leaves the period at its ten
# ---
def with_probes(deployment, slow, hang):
    made = copy.deepcopy(deployment)
    alive = {"httpGet": {"path": "/healthz", "port": "http"}}
    fit = {"httpGet": {"path": "/readyz", "port": "http"}, "failureThreshold": 2}
    container = container_of(made)
    container["startupProbe"] = alive | {"failureThreshold": slow + 5}
    container["livenessProbe"] = alive | {"failureThreshold": hang - 2}
    container["readinessProbe"] = fit
    return made
