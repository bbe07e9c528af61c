# ---
# answers: ex4
# why: goes up rate by rate and stops at the first that breaks the promise; a warning on stderr
# ---
import warnings
from itertools import groupby


def capacity(measured, slo):
    best = 0
    for rate, tests in groupby(sorted(measured), key=lambda test: test[0]):
        if any(p99 > slo for _, p99 in tests):
            warnings.warn(f"{rate} per second is too much", stacklevel=2)
            break
        best = rate
    return best
