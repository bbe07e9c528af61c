# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: takes the number of pods back from the old ReplicaSet, which has none
# ---
def undone(deployment, replicasets):
    uid = deployment["metadata"]["uid"]
    own = [one for one in replicasets if uid in {owner["uid"] for owner in one["metadata"].get("ownerReferences", [])}]
    own.sort(key=lambda one: int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))
    if len(own) < 2:
        raise ValueError("there is no earlier release")
    made = copy.deepcopy(deployment)
    made["spec"]["template"] = copy.deepcopy(own[-2]["spec"]["template"])
    made["spec"]["template"]["metadata"]["labels"].pop("pod-template-hash", None)
    made["spec"]["replicas"] = own[-2]["spec"]["replicas"]
    return made
