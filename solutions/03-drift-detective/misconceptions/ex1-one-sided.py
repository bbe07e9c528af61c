# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: computes the Kullback-Leibler divergence, which is only half of the index
# ---
def psi(reference, current, bins=10):
    edges = np.quantile(reference, np.arange(1, bins) / bins)
    shares = []
    for sample in (reference, current):
        counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=bins)
        shares.append(np.maximum(counts / counts.sum(), 1e-4))
    return float((shares[1] * np.log(shares[1] / shares[0])).sum())
