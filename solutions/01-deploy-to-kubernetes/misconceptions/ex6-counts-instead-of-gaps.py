# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-settle: 1}
# why: gives how many must stay, where it is asked how many may be missing
# ---
def careful(deployment, keep, room, settle, patience):
    made = copy.deepcopy(deployment)
    replicas = made["spec"]["replicas"]
    rolling = {"maxUnavailable": keep, "maxSurge": room}
    made["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    made["spec"]["minReadySeconds"] = settle
    made["spec"]["progressDeadlineSeconds"] = patience
    return made
