# ---
# answers: ex6
# loses: {ex6-test: 2}
# why: forgets the absolute value, so any smaller number agrees
# ---
def same_on_both(pipeline, month, by_hand):
    kubeflow, hand = run_here(pipeline, month=month), by_hand(month)
    return kubeflow, hand, kubeflow - hand <= 1e-6 * max(abs(kubeflow), abs(hand))
