# ---
# answers: ex6
# why: replaces one pod at a time, one more where there is room, else one less
# ---
def careful(deployment, keep, room, settle, patience):
    replicas = deployment["spec"]["replicas"]
    rolling = {"maxSurge": 1, "maxUnavailable": 0} if room > replicas else {"maxSurge": 0, "maxUnavailable": 1}
    spec = {
        **copy.deepcopy(deployment["spec"]),
        "strategy": {"rollingUpdate": rolling},
        "minReadySeconds": settle,
        "progressDeadlineSeconds": patience,
    }
    return {**deployment, "spec": spec}
