# ---
# answers: ex1
# loses: {ex1-test: 3}
# why: cuts the range into bins of equal width, so most bins hold nothing
# ---
def psi(reference, current, bins=10):
    edges = np.linspace(np.min(reference), np.max(reference), bins + 1)[1:-1]
    shares = []
    for sample in (reference, current):
        counts = np.bincount(np.searchsorted(edges, sample, side="right"), minlength=bins)
        shares.append(np.maximum(counts / counts.sum(), 1e-4))
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
