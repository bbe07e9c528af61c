"""`course` with the grader of the tests in the place of the real one; only that is replaced.

As a command: `python -m autograder.tests.mini_run grade 01-mini …`.
"""

from autograder.cohort import run as cohort
from autograder.tests.mini_grader import MiniGrader
from course.cli import app

if __name__ == "__main__":
    cohort.open_grader = MiniGrader
    app()
