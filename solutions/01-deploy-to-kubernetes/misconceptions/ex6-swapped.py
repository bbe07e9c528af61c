# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-settle: 1}
# why: takes maxUnavailable for the extra pods and maxSurge for the missing ones
# ---
def careful(deployment, keep, room, settle, patience):
    made = copy.deepcopy(deployment)
    replicas = made["spec"]["replicas"]
    rolling = {"maxUnavailable": room - replicas, "maxSurge": replicas - keep}
    made["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    made["spec"]["minReadySeconds"] = settle
    made["spec"]["progressDeadlineSeconds"] = patience
    return made
