"""What the report's tables say: exercises, failing tests, likely misconceptions."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autograder.lab.misconceptions import Misconception
from autograder.model import ANSWER, MANUAL, Key, Mark, Result
from autograder.outputs.feedback import exercise_title
from autograder.outputs.similarity import _all_grams, fingerprints
from base.text import safe_text, shorten

REASON = 200
"""Characters of a reason that are kept."""


@dataclass(frozen=True)
class Student:
    """What is kept of a result."""

    name: str
    score: float
    waiting: bool
    marks: tuple[Mark, ...]
    prints: dict[str, frozenset[int]]
    blank: frozenset[str]
    fault: str
    notes: int


def _reason(text: str) -> str:
    return shorten(" ".join(safe_text(text).split()), REASON)


def small(result: Result, key: Key) -> Student:
    """Return what is kept of a result, which is read and let go."""
    answers = {cell.grade_id: cell for cell in result.cells if cell.kind in (ANSWER, MANUAL)}
    prints = {
        name: found
        for name, cell in answers.items()
        if cell.cell_type == "code" and (found := fingerprints(cell.source) - _all_grams(key.stubs.get(name, "")))
    }
    blank = frozenset(name for name, stub in key.stubs.items() if name not in answers or answers[name].source == stub)
    marks = tuple(
        Mark(mark.test, mark.exercise, mark.points, mark.score, _reason(mark.reason), mark.rescued)
        for mark in result.marks
    )
    waiting = any(mark.score is None for mark in marks)
    return Student(
        safe_text(result.student),
        result.score,
        waiting,
        marks,
        prints,
        blank,
        _reason(result.fault),
        len(result.notes),
    )


@dataclass
class Exercise:
    """One exercise, as the class did it."""

    name: str
    title: str
    points: float
    scores: list[float] = field(default_factory=list)
    full: int = 0
    nothing: int = 0
    blank: int = 0
    rescued: int = 0

    @property
    def mean(self) -> float:
        """Mean share of the points, 0 to 1."""
        return sum(self.scores) / len(self.scores) / self.points if self.scores and self.points else 0.0


def exercises_of(students: list[Student], key: Key) -> list[Exercise]:
    """Return the exercises, hardest first; one that only a human marks has no scores."""
    table: dict[str, Exercise] = {}
    for cell in key.tests:
        name = key.exercise(cell.grade_id)
        table.setdefault(name, Exercise(name, safe_text(exercise_title(name)), 0.0)).points += cell.points
    for student in students:
        by_exercise: dict[str, list[Mark]] = defaultdict(list)
        for mark in student.marks:
            by_exercise[mark.exercise].append(mark)
        for name, marks in by_exercise.items():
            one = table.get(name)
            if one is None or any(mark.score is None for mark in marks):
                continue
            score = sum(mark.score or 0.0 for mark in marks)
            one.scores.append(score)
            one.full += score >= one.points
            one.nothing += score == 0
            one.blank += name in student.blank
            one.rescued += any(mark.rescued for mark in marks)
    order = {name: number for number, name in enumerate(table)}
    return sorted(table.values(), key=lambda one: (not one.scores, one.mean, order[one.name]))


@dataclass(frozen=True)
class _Failing:
    test: str
    exercise: str
    count: int
    share: float
    reason: str
    same: int


def failing_tests(students: list[Student], most: int) -> list[_Failing]:
    """Return the tests that most students lost points at, each with the commonest reason."""
    lost: Counter[tuple[str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for student in students:
        for mark in student.marks:
            if mark.score is not None and mark.score < mark.points:
                lost[mark.test, mark.exercise] += 1
                if mark.reason:
                    reasons[mark.test, mark.exercise][mark.reason] += 1
    rows = []
    for (test, exercise), count in sorted(lost.items(), key=lambda item: (-item[1], item[0]))[:most]:
        told = sorted(reasons[test, exercise].items(), key=lambda item: (-item[1], item[0]))
        reason, same = told[0] if told else ("", 0)
        title = exercise_title(exercise)
        rows.append(_Failing(safe_text(test), safe_text(title), count, count / len(students), reason, same))
    return rows


@dataclass(frozen=True)
class _Fit:
    exercise: str
    tests: tuple[str, ...]
    students: tuple[str, ...]
    fits: tuple[str, ...]


def _pattern(losses: dict[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((test, round(loss, 6)) for test, loss in losses.items() if loss > 0))


def likely_misconceptions(students: list[Student], key: Key, known: Sequence[Misconception]) -> list[_Fit]:
    """Return which students' losses within an exercise fit which known wrong answers, commonest first.

    Who handed an exercise in as it was, or not at all, has no misconception but no answer, and is left out.
    """
    of = {cell.grade_id: key.exercise(cell.grade_id) for cell in key.tests}
    fits: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for one in known:
        losses = {test: loss for test, loss in one.loses.items() if of.get(test) == one.answers}
        if pattern := _pattern(losses):
            fits[one.answers, pattern].append(safe_text(one.why))
    found: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for student in students:
        lost_of: dict[str, dict[str, float]] = defaultdict(dict)
        for mark in student.marks:
            if mark.score is not None:
                lost_of[mark.exercise][mark.test] = mark.points - mark.score
        for exercise, lost in lost_of.items():
            if (pattern := _pattern(lost)) and exercise not in student.blank and not student.fault:
                found[exercise, pattern].append(student.name)
    rows = [
        _Fit(
            safe_text(exercise_title(exercise)),
            tuple(safe_text(test) for test, _ in pattern),
            tuple(sorted(names)),
            tuple(sorted(fits.get((exercise, pattern), ()))),
        )
        for (exercise, pattern), names in found.items()
    ]
    return sorted(rows, key=lambda row: (-len(row.students), row.exercise, row.tests))
