# ---
# answers: ex6
# loses: {ex6-test-told: 1}
# why: takes seconds for minutes
# ---
def careful(deployment, keep, room, settle, patience):
    made = copy.deepcopy(deployment)
    replicas = made["spec"]["replicas"]
    rolling = {"maxUnavailable": replicas - keep, "maxSurge": room - replicas}
    made["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    made["spec"]["minReadySeconds"] = settle
    made["spec"]["progressDeadlineSeconds"] = 60 * patience
    return made
