# ---
# answers: ex1
# loses: {ex1-test: 2}
# why: reads a scrape without an answer as a counter at 0
# ---
import itertools


def increases(readings):
    filled = [reading or 0 for reading in readings]
    return [now - before if now >= before else now for before, now in itertools.pairwise(filled)]
