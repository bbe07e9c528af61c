# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: compares floating-point numbers for equality
# ---
def same_on_both(pipeline, month, by_hand):
    kubeflow, hand = run_here(pipeline, month=month), by_hand(month)
    return kubeflow, hand, kubeflow == hand
