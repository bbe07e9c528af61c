# ---
# answers: ex1
# why: plain loops and bisect instead of array functions
# ---
import math
from bisect import bisect_right


def psi(reference, current, bins=10):
    edges = [float(np.quantile(reference, number / bins)) for number in range(1, bins)]

    def shares(sample):
        counts = [0] * bins
        for value in sample:
            counts[bisect_right(edges, value)] += 1
        return [max(count / len(sample), 0.0001) for count in counts]

    total = 0.0
    for p, q in zip(shares(reference), shares(current), strict=True):
        total += (p - q) * math.log(p / q)
    return total
