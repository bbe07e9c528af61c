"""The class report: one page for the instructor, from results that are read one at a time.

Near-identical answers are found by winnowing (Schleimer, Wilkerson, Aiken: Winnowing: Local Algorithms for Document
Fingerprinting, SIGMOD 2003) over the syntax tree, in which the names that a student chose are one and the same.
What was handed out, and what a good part of the class wrote too, is left out first.
"""

import statistics
from collections.abc import Iterable, Sequence

from autograder.lab.misconceptions import Misconception
from autograder.model import Key, Result
from autograder.outputs.feedback import points, templates
from autograder.outputs.plots import plot_exercises, plot_scores
from autograder.outputs.similarity import EVIDENCE, similar
from autograder.outputs.tables import exercises_of, failing_tests, likely_misconceptions, small
from base.text import safe_text


def class_report(
    results: Iterable[Result],
    key: Key,
    misconceptions: Sequence[Misconception] = (),
    *,
    evidence: int = EVIDENCE,
    most_tests: int = 12,
    most_pairs: int = 50,
) -> str:
    """Return the page for the instructor: it stands alone, and is the same for the same results in any order.

    Args:
        results: One of each student; read one at a time, little is kept of each.
        key: Of the lab.
        misconceptions: Known wrong answers, see `autograder.lab.misconceptions.read_misconceptions`.
        evidence: Shared fingerprints that a pair of submissions is shown from.
        most_tests: Failing tests in the table.
        most_pairs: Pairs in the table.
    """
    students = sorted((small(result, key) for result in results), key=lambda student: student.name)
    exercises = exercises_of(students, key)
    marked = [one for one in exercises if one.scores]
    pairs = similar([(student.name, student.prints) for student in students], evidence)
    fits = likely_misconceptions(students, key, misconceptions)
    scores = [student.score for student in students]
    page: str = (
        templates()
        .get_template("report.html")
        .render(
            lab=safe_text(key.lab),
            version=safe_text(key.version),
            students=students,
            worth=points(key.points),
            mean=points(sum(scores) / len(scores)) if scores else "",
            median=points(statistics.median(scores)) if scores else "",
            full=sum(not student.waiting and student.score >= key.points for student in students),
            rescued=sum(any(mark.rescued for mark in student.marks) for student in students),
            waiting=sum(student.waiting for student in students),
            repaired=sum(student.notes > 0 for student in students),
            broken=[student for student in students if student.fault],
            score_plot=plot_scores(students, key.points) if students else "",
            exercise_plot=plot_exercises(marked) if marked else "",
            exercises=exercises,
            failing=failing_tests(students, most_tests),
            fits=[row for row in fits if row.fits],
            unexplained=[row for row in fits if not row.fits],
            known=bool(misconceptions),
            pairs=pairs[:most_pairs],
            more_pairs=max(0, len(pairs) - most_pairs),
        )
    )
    return page
