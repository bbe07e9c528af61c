# ---
# answers: ex7
# loses: {ex7-test-others: 1}
# why: takes every ReplicaSet whose name begins like that of the Deployment for its own
# ---
def undone(deployment, replicasets):
    own = [one for one in replicasets if one["metadata"]["name"].startswith(deployment["metadata"]["name"])]
    own.sort(key=lambda one: int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))
    if len(own) < 2:
        raise ValueError("there is no earlier release")
    made = copy.deepcopy(deployment)
    made["spec"]["template"] = copy.deepcopy(own[-2]["spec"]["template"])
    made["spec"]["template"]["metadata"]["labels"].pop("pod-template-hash", None)
    return made
