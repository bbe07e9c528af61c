# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: loses what was counted during a gap
# ---
import itertools


def increases(readings):
    return [
        None if before is None or now is None else now - before if now >= before else now
        for before, now in itertools.pairwise(readings)
    ]
