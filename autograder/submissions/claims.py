"""Of what one student handed in, the file that counts."""

import re
from dataclasses import dataclass

from autograder.submissions.listing import Entry, shown

AGAIN_PLEASE = "Hand in the one notebook of the lab."

_ILIAS = re.compile(r"(?P<time>\d{14})_(?P<base>.+)")
_AGAIN = re.compile(r"(?P<base>.+?)(?:-(?P<number>\d{1,9})| ?\((?P<copy>\d{1,9})\))")


@dataclass(frozen=True)
class Claim:
    """That an entry is what a student handed in.

    Attributes:
        student: As the files or the platform call the student.
        entry: A file, or a folder without any.
        base: The student's name of the file.
        time: When it was handed in, or empty; the newest counts.
        rank: Among those of one time the highest is the newest.
        tree: It stands in a folder with the lab's name, as nbgrader lays it out.
        note: What the instructor should know of it.
    """

    student: str
    entry: Entry
    base: str
    time: tuple[str, int] = ("", 0)
    rank: tuple[int, int, int] = (0, 0, 0)
    tree: bool = False
    note: str = ""


def base_name(stem: str, wanted: str) -> tuple[str, int]:
    """Return the name of a file without the number that it gets when it is handed in again, and the number."""
    stem = stem.removesuffix("-checkpoint")
    if ilias := _ILIAS.fullmatch(stem):
        return ilias["base"], int(ilias["time"])
    again = _AGAIN.fullmatch(stem)
    if stem == wanted or not again:
        return stem, 0
    return again["base"], int(again["number"] or again["copy"])


def choose(claims: list[Claim], wanted: str, *, alone: bool = True) -> tuple[Claim, str, str]:
    """Return which of a student's files counts, the fault if that cannot be said, and a note for the instructor.

    Args:
        claims: What the student handed in.
        wanted: Name of the notebook.
        alone: It is the lab's only one, so that others are worth a note.
    """
    files = [claim for claim in claims if claim.entry.candidate]
    if not files:
        only = shown(claim.entry for claim in claims)
        only = f"only this: {only}" if only else "only an empty folder"
        return claims[0], f"No notebook was handed in, {only}. {AGAIN_PLEASE}", ""
    for fits in (_is_notebook, _is_readable, _is_no_checkpoint):
        files = [claim for claim in files if fits(claim)] or files
    looked_at = files
    newest = max(claim.time for claim in files)
    files = [claim for claim in files if claim.time == newest]
    files = [claim for claim in files if claim.base == wanted] or files
    files = sorted(files, key=lambda claim: (claim.rank, claim.entry.path))
    names = ", ".join(claim.entry.path for claim in files[-3:])
    if len({claim.base for claim in files}) > 1 or (len(files) > 1 and files[-1].rank == files[-2].rank):
        return files[-1], f"More than one notebook was handed in: {names}. {AGAIN_PLEASE}", ""
    notes = [files[-1].note] if files[-1].note else []
    notes += [f"the newest of {len(files)}: {names}"] if len(files) > 1 else []
    others = [claim.entry for claim in looked_at if claim not in files]
    if others and alone:
        notes.append(f"{files[-1].entry.path} counts, not {shown(others)}")
    if later := [claim.entry for claim in claims if claim.time > newest]:
        notes.append(f"newer, but no notebook: {shown(later)}")
    return files[-1], files[-1].entry.fault, "; ".join(notes)


def _is_notebook(claim: Claim) -> bool:
    return claim.entry.notebook


def _is_readable(claim: Claim) -> bool:
    return not claim.entry.fault


def _is_no_checkpoint(claim: Claim) -> bool:
    return not claim.entry.checkpoint
