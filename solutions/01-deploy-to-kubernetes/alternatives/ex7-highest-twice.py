# ---
# answers: ex7
# why: takes the highest number out, then the highest again
# ---
def undone(deployment, replicasets):
    def revision(one):
        return int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"])

    def owned(one):
        owners = one["metadata"].get("ownerReferences") or ()
        return any(owner["uid"] == deployment["metadata"]["uid"] for owner in owners)

    mine = list(filter(owned, replicasets))
    if not mine:
        raise ValueError("this Deployment has no release")
    now = max(map(revision, mine))
    template = json.loads(
        json.dumps(max((one for one in mine if revision(one) < now), key=revision)["spec"]["template"])
    )
    del template["metadata"]["labels"]["pod-template-hash"]
    return deployment | {"spec": deployment["spec"] | {"template": template}}
