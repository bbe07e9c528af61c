# ---
# answers: ex7
# loses: {ex7-test-others: 1}
# why: returns the Deployment unchanged where there is nothing to go back to
# ---
def undone(deployment, replicasets):
    uid = deployment["metadata"]["uid"]
    own = [one for one in replicasets if uid in {owner["uid"] for owner in one["metadata"].get("ownerReferences", [])}]
    own.sort(key=lambda one: int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"]))
    if len(own) < 2:
        return copy.deepcopy(deployment)
    made = copy.deepcopy(deployment)
    made["spec"]["template"] = copy.deepcopy(own[-2]["spec"]["template"])
    made["spec"]["template"]["metadata"]["labels"].pop("pod-template-hash", None)
    return made
