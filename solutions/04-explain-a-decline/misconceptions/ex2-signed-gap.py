# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: sees sums that are too large, and none that are too small
# ---
def misfits(contributions, start, probability, tolerance=1e-6):
    gap = start + contributions.sum(axis=1) - np.log(probability / (1 - probability))
    return [row for row in range(len(gap)) if np.isnan(gap[row]) or gap[row] > tolerance]
