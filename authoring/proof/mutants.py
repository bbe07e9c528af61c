"""Wrong answers made by machine: small changes to a lab's reference answers that its tests must catch.

Mutation testing: each mutant changes one spot of one answer. A mutant that keeps all points shows a hole in the tests,
or is no wrong answer at all (an equivalent mutant); those are listed, each with a reason, in
`solutions/<lab>/mutants.yml`. Right answers written in another way are in `solutions/<lab>/alternatives/` and must keep
all points. The operators follow Offutt et al., "An experimental determination of sufficient mutant operators" (1996),
with dropped statements, keyword arguments and calls besides.

A text is changed, not printed anew from its syntax tree, so that all but the spot stays as the author wrote it. Nothing
is changed in docstrings, comments, annotations, f-strings, or lines that were handed out.
"""

import ast
import textwrap
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from authoring.proof.answers import Exemption
from authoring.proof.edits import Edit, SourceText, edits_of
from autograder.model import ANSWER, Key

MOST = 24
"""Mutants per exercise. Of more, every family of operators gives about as many, spread evenly over its lines."""
FEWER = 12
"""Of these, so many are tried at each change of the repository, chosen in the same way; all of them once a week."""


@dataclass(frozen=True)
class Mutant:
    """One changed reference answer.

    Attributes:
        name: Unique within the lab, such as `ex2:L14:lt-to-le`.
        answers: The answer cell, by `grade_id`.
        line: First changed line of the cell, from 1.
        was: The changed lines as they were, without their common indent.
        becomes: The same lines, changed.
        source: The whole changed cell.
    """

    name: str
    answers: str
    line: int
    was: str
    becomes: str
    source: str


@dataclass(frozen=True)
class Verdict:
    """What became of the mutants of a lab. `faults` are exemptions that no longer hold, a sentence each."""

    caught: tuple[Mutant, ...]
    excused: tuple[tuple[Mutant, str], ...]
    survivors: tuple[Mutant, ...]
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every mutant is caught or excused, and every exemption still holds."""
        return not self.survivors and not self.faults


def _spread(edits: list[tuple[Edit, Mutant]], most: int) -> list[tuple[Edit, Mutant]]:
    """Return at most `most` of them: families in turn, the members of each evenly spaced."""
    families: dict[str, list[int]] = {}
    for number, (edit, _) in enumerate(edits):
        families.setdefault(edit.family, []).append(number)
    shares = dict.fromkeys(families, 0)
    for _ in range(min(most, len(edits))):
        open_ones = [name for name in families if shares[name] < len(families[name])]
        shares[min(open_ones, key=lambda name: shares[name])] += 1
    kept = {
        members[(2 * number + 1) * len(members) // (2 * shares[name])]
        for name, members in families.items()
        for number in range(shares[name])
    }
    return [one for number, one in enumerate(edits) if number in kept]


def _handed_out(text: SourceText, edit: Edit, stub: frozenset[str]) -> bool:
    first, last = text.lines(edit.start, edit.end)
    return all(line.strip() in stub for line in text.source.split("\n")[first : last + 1])


def _make(answers: str, source: str, stub: str, most: int | None) -> list[Mutant]:
    text = SourceText(source)
    given = frozenset(line.strip() for line in stub.splitlines())
    seen = {ast.dump(text.tree)}
    numbers: Counter[str] = Counter()
    made: list[tuple[Edit, Mutant]] = []
    for edit in edits_of(text):
        changed = source[: edit.start] + edit.text + source[edit.end :]
        tree = ast.dump(ast.parse(changed))
        if tree in seen or _handed_out(text, edit, given):
            continue
        seen.add(tree)
        first, last = text.lines(edit.start, edit.end)
        after = last + changed.count("\n") - source.count("\n")
        was, becomes = (
            textwrap.dedent("\n".join(one.split("\n")[first : end + 1])).strip()
            for one, end in ((source, last), (changed, after))
        )
        name = f"{answers}:L{first + 1}:{edit.kind}"
        numbers[name] += 1
        name += f":{numbers[name]}" if numbers[name] > 1 else ""
        made.append((edit, Mutant(name, answers, first + 1, was, becomes, changed)))
    if most is not None:
        made = _spread(_spread(made, max(most, MOST)), most)  # a smaller sample is a part of the usual one
    return [mutant for _, mutant in made]


def _answers(key: Key) -> list[tuple[str, str]]:
    cells = [cell for cell in key.cells if cell.kind == ANSWER and cell.cell_type == "code"]
    return [(cell.grade_id, cell.source.replace("\r\n", "\n")) for cell in cells]


def mutants(key: Key, most: int | None = MOST) -> list[Mutant]:
    """Return the mutants of a lab's reference answers, in the order of its cells and lines.

    The same key gives the same mutants. None equals its reference or another mutant, as syntax trees go.

    Args:
        key: The lab's answer key.
        most: At most so many per answer; None for all.
    """
    left_out = unchanged(key)
    return [
        mutant
        for answers, source in _answers(key)
        if answers not in left_out
        for mutant in _make(answers, source, key.stubs.get(answers, ""), most)
    ]


def unchanged(key: Key) -> dict[str, str]:
    """Return the answers that no mutants are made of, and why, by `grade_id`."""
    reasons = {}
    for answers, source in _answers(key):
        try:
            ast.parse(source)
        except SyntaxError as error:
            reasons[answers] = f"line {error.lineno} is not plain Python (a magic or a shell command?)"
    return reasons


def judge(key: Key, survived: Collection[str], exemptions: list[Exemption], most: int | None = MOST) -> Verdict:
    """Return what is caught, excused, or neither, and which exemptions no longer hold.

    Args:
        key: The lab's answer key.
        survived: The names of those of `mutants(key, most)` that kept all points.
        exemptions: As `load_exemptions` gives.
        most: As for `mutants`.
    """
    made = mutants(key, most)
    reasons = {(one.answers, one.was, one.becomes): one.reason for one in exemptions}
    kept = [(mutant, reasons.get((mutant.answers, mutant.was, mutant.becomes))) for mutant in made
            if mutant.name in survived]  # fmt: skip
    known = {(mutant.answers, mutant.was, mutant.becomes) for mutant in mutants(key, None)}
    tried = {(mutant.answers, mutant.was, mutant.becomes) for mutant in made}
    holding = {(mutant.answers, mutant.was, mutant.becomes) for mutant, _ in kept}
    faults = []
    for one in exemptions:
        spot = (one.answers, one.was, one.becomes)
        change = f"mutants.yml: {one.answers}: {one.was!r} -> {one.becomes!r}"
        if spot not in known:
            faults.append(f"{change}: there is no such mutant (any more): take the entry out or correct it")
        elif spot in tried - holding:
            faults.append(f"{change}: the tests catch this mutant, so it needs no exemption: take the entry out")
    return Verdict(
        caught=tuple(mutant for mutant in made if mutant.name not in survived),
        excused=tuple((mutant, reason) for mutant, reason in kept if reason is not None),
        survivors=tuple(mutant for mutant, reason in kept if reason is None),
        faults=tuple(faults),
    )
