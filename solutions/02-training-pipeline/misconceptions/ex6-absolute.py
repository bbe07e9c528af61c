# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: allows an absolute difference, which means nothing without the size of the numbers
# ---
def same_on_both(pipeline, month, by_hand):
    kubeflow, hand = run_here(pipeline, month=month), by_hand(month)
    return kubeflow, hand, abs(kubeflow - hand) < 1e-6
