# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-settle: 1}
# why: stops every pod before the first new one starts
# ---
def careful(deployment, keep, room, settle, patience):
    made = copy.deepcopy(deployment)
    made["spec"]["strategy"] = {"type": "Recreate"}
    made["spec"]["minReadySeconds"] = settle
    made["spec"]["progressDeadlineSeconds"] = patience
    return made
