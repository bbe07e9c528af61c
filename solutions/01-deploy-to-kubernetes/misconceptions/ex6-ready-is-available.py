# ---
# answers: ex6
# loses: {ex6-test-settle: 1}
# why: counts a pod as soon as it is ready
# ---
def careful(deployment, keep, room, settle, patience):
    made = copy.deepcopy(deployment)
    replicas = made["spec"]["replicas"]
    rolling = {"maxUnavailable": replicas - keep, "maxSurge": room - replicas}
    made["spec"]["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    made["spec"]["progressDeadlineSeconds"] = patience
    return made
