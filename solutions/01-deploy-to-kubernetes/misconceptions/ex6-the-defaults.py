# ---
# answers: ex6
# loses: {ex6-test: 2, ex6-test-settle: 1}
# why: leaves a quarter to be missing and a quarter to be too many
# ---
def careful(deployment, keep, room, settle, patience):
    made = copy.deepcopy(deployment)
    made["spec"]["minReadySeconds"] = settle
    made["spec"]["progressDeadlineSeconds"] = patience
    return made
