# ---
# answers: ex3
# why: looks every two or three seconds, and asks a socket whether it has started
# ---
def with_probes(deployment, slow, hang):
    made = copy.deepcopy(deployment)
    service = made["spec"]["template"]["spec"]["containers"][0]
    service["startupProbe"] = {"tcpSocket": {"port": 8000}, "periodSeconds": 3, "failureThreshold": slow // 3 + 2}
    service["livenessProbe"] = {
        "httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"},
        "periodSeconds": 2,
        "timeoutSeconds": 1,
        "failureThreshold": (hang - 1) // 2,
    }
    service["readinessProbe"] = {
        "httpGet": {"path": "/readyz", "port": 8000},
        "periodSeconds": 3,
        "successThreshold": 2,
        "failureThreshold": 1,
    }
    return made
