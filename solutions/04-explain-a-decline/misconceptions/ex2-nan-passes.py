# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: asks whether the gap is above the tolerance, which NaN never is
# ---
def misfits(contributions, start, probability, tolerance=1e-6):
    gap = np.abs(start + contributions.sum(axis=1) - np.log(probability / (1 - probability)))
    return [int(row) for row in np.flatnonzero(gap > tolerance)]
