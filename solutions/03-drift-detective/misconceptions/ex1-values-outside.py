# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: drops the values that lie beyond the range of the reference
# ---
def psi(reference, current, bins=10):
    edges = np.quantile(reference, np.linspace(0, 1, bins + 1))
    shares = []
    for sample in (reference, current):
        counts, _ = np.histogram(sample, edges)
        shares.append(np.maximum(counts / max(counts.sum(), 1), 1e-4))
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
