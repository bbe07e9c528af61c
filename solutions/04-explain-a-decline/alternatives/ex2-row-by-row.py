# ---
# answers: ex2
# why: row by row in plain Python, and it prints
# ---
from math import isnan, log


def misfits(contributions, start, probability, tolerance=1e-6):
    found = []
    for row in range(len(probability)):
        p = float(probability[row])
        off = log(p) - log(1 - p) - float(start[row]) - sum(map(float, contributions[row]))
        if isnan(off) or abs(off) > tolerance:
            print(f"row {row} is off by {off}")
            found.append(row)
    return found
