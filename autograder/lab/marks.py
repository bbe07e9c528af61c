"""Lines that an instructor may write into a cell, and what they ask of the grader."""

BESIDE = "# grader: these run where the answers run"
"""A line in a cell of the instructor's: its functions take objects that cannot leave the student's kernel."""
SHOWN = "# grader: no secret"
"""A line in a reference answer that a lesson shows and that cannot be called from afar, such as a class or a web
application: in the second look it may run where the student's code runs."""
