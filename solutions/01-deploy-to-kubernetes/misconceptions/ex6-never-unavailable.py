# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: never lets a pod be missing, also where there is no room for an extra one
# ---
def careful(deployment, keep, room, settle, patience):
    made = copy.deepcopy(deployment)
    replicas = made["spec"]["replicas"]
    rolling = {"maxUnavailable": 0, "maxSurge": room - replicas}
    made["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    made["spec"]["minReadySeconds"] = settle
    made["spec"]["progressDeadlineSeconds"] = patience
    return made
