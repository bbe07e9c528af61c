# ---
# answers: ex6
# why: NumPy compares, so that the third value is a NumPy truth value
# ---
import numpy as np


def same_on_both(pipeline, month, by_hand):
    hand = by_hand(month)
    kubeflow = run_here(pipeline, month=month)
    return (kubeflow, hand, np.isclose(kubeflow, hand, rtol=1e-6, atol=0))
