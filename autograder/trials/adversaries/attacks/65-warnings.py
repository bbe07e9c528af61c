# ---
# attack: "none, and none must be seen in it: a right answer that warns and writes to stderr"
# kind: answer
# honest: [ex2, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 2, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: ""
# ---
# %% ex1
import sys
import warnings


def monthly_rate(annual):
    warnings.warn("this function will be removed in 1999", DeprecationWarning, stacklevel=1)
    warnings.warn("look out", stacklevel=2)
    print("progress: 50 %", file=sys.stderr)
    return (1 + annual) ** (1 / 12) - 1
