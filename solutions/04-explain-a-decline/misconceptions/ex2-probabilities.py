# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: holds a sum of log-odds against a probability
# ---
def misfits(contributions, start, probability, tolerance=1e-6):
    gap = np.abs(start + contributions.sum(axis=1) - probability)
    return [int(row) for row in np.flatnonzero(~(gap <= tolerance))]
