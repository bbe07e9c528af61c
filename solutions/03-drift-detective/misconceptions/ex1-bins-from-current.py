# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: cuts the bins from the new data, so the yardstick moves with what it measures
# ---
def psi(reference, current, bins=10):
    edges = np.quantile(current, np.arange(1, bins) / bins)
    shares = []
    for sample in (reference, current):
        counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=bins)
        shares.append(np.maximum(counts / counts.sum(), 1e-4))
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
