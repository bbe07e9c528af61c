# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: uses np.isclose with its own defaults, whatever tolerance was asked for
# ---
def misfits(contributions, start, probability, tolerance=1e-6):
    answered = np.log(probability / (1 - probability))
    close = np.isclose(start + contributions.sum(axis=1), answered)
    return [int(row) for row in np.flatnonzero(~close)]
