"""How learning platforms name what they export: from one file or folder to the student whose it is.

Looked up: Canvas in its `lib/content_zipper.rb`, Moodle in `mod/assign/classes/downloader.php`; the others in scripts
that instructors published for their downloads. What a platform writes stands in front of what the student called the
file, so the student cannot say whose a file is; only the name that is shown can be chosen.
"""

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autograder.submissions.listing import Entry
from base.errors import UserError

_CANVAS = re.compile(r"(?=_(?P<late>LATE_)?(?P<id>\d+)_(?P<file>\d+)_(?P<base>.+))")
_CANVAS_TEXT = re.compile(r"(?=_(?P<late>LATE_)?(?P<id>\d+)_(?P<base>text|link)$)")
_CANVAS_BLIND = re.compile(r"(?:LATE_)?anon_(?!LATE_)(?P<id>[A-Za-z0-9]+)_(?:(?P<file>\d+)_(?P<base>.+)|text|link)")
# Moodle writes spaces for the underscores of a name, so the first one is its own.
_MOODLE = re.compile(r"(?P<name>[^_]+)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<base>.*))?")
_MOODLE_GROUP = re.compile(r"(?:Group|Gruppe|Groupe|Grupo|Gruppo|Groep) \w+-(?=\S)")
_BLACKBOARD = re.compile(r"(?P<lab>.*?)_(?P<name>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<base>.+))?")
_BRIGHTSPACE = re.compile(r"(?P<id>\d+)-\d+ - (?P<name>.+) - (?P<time>(?:(?! - ).)+)")
_BRIGHTSPACE_FILE = re.compile(
    r"(?P<id>\d+)-\d+ - (?P<name>.+?) - (?P<time>\w+ \d+, \d{4} \d{3,4} [AP]M) - (?P<base>.+)"
)
_SAKAI = re.compile(r".+\((?P<id>[^()]+)\)(?:_Submission attachment\(s\)_(?P<base>.+))?")
SAKAI_FOLDER = "Submission attachment(s)"
SUBMITTERS = "submission_metadata.yml"
"""In which Gradescope says whose its folders are."""


@dataclass(frozen=True)
class Named:
    """What the name of a file or folder says.

    Attributes:
        student: The name; after `_` the platform's number of the student, if the platform takes marks back by it.
        base: What the student called the file; empty where the name is a folder's.
        time: When it was handed in, `2026-03-04 09:05:00` in the time of the platform, if the name tells.
        file: The platform's number of the file: a later one is newer.
        number: Keeps students of the same name apart.
        note: What the instructor should know of it.
    """

    student: str
    base: str = ""
    time: str = ""
    file: int = 0
    number: str = ""
    note: str = ""


def named(units: Sequence[Entry], *, sakai: bool) -> dict[str, Named]:
    """Return what the names of files and folders say that lie beside one another, by path, of those that say it.

    Args:
        units: Files and folders.
        sakai: One of the folders is laid out as Sakai does it.

    Raises:
        UserError: They can be read in several ways.
    """
    found = dict[str, Named]()
    for unit in units:
        one = _moodle(unit) or _canvas(unit) or _blackboard(unit) or _brightspace(unit) or _sakai(unit, sakai)
        if one:
            found[unit.path] = one
    boards = (_BLACKBOARD.fullmatch(unit.stem) for unit in units if not unit.folder)
    labs = {board["lab"] for board in boards if board}
    if len(labs) > 1:
        raise UserError(
            f"Blackboard's files begin with {', '.join(sorted(labs)[:3])}: if that is several assignments, give those "
            "of one; if these are the beginnings of user names with an underscore, put each student's files into a "
            "folder with the user name"
        )
    # A file has one number: where several have the same, somebody counts otherwise (week_3_2_ada, week_3_2_bo).
    times = Counter((one.student, one.file) for one in found.values() if one.file)
    found = {path: one for path, one in found.items() if times[one.student, one.file] < 2}
    numbers = dict[str, set[str]]()
    for one in found.values():
        numbers.setdefault(one.student, set()).add(one.number)
    return {
        path: replace(one, student=f"{one.student}_{one.number}") if len(numbers[one.student]) > 1 else one
        for path, one in found.items()
    }


def _moodle(unit: Entry) -> Named | None:
    if not (one := _MOODLE.fullmatch(unit.stem)):
        return None
    return Named(f"{_MOODLE_GROUP.sub('', one['name'])}_{one['id']}", one["base"] or "")


def _canvas(unit: Entry) -> Named | None:
    """Read `doejane_LATE_101_9001_lab`; where the numbers can be read in two ways, the whole is the student's name."""
    if unit.folder:
        return None
    if one := _CANVAS_BLIND.fullmatch(unit.stem):
        return Named(f"anon_{one['id']}", one["base"] or "", file=int(one["file"] or 0))
    readings = [*_CANVAS.finditer(unit.stem)]
    readings += _CANVAS_TEXT.finditer(unit.stem) if unit.path.lower().endswith(".html") else []
    readings = [one for one in readings if one.start() and not unit.stem[: one.start()].endswith("_LATE")]
    if not readings:
        return None
    if len(readings) > 1:
        return Named(unit.stem, readings[-1]["base"], note="whose it is can be read in two ways from its name")
    one = readings[0]
    file = one.groupdict().get("file")
    return Named(f"{unit.stem[: one.start()]}_{one['id']}", one["base"] if file else "", file=int(file or 0))


def _blackboard(unit: Entry) -> Named | None:
    one = None if unit.folder else _BLACKBOARD.fullmatch(unit.stem)
    if not one:
        return None
    day, clock = one["time"][:10], one["time"][11:].replace("-", ":")
    return Named(one["name"], one["base"] or "", f"{day} {clock}")


def _brightspace(unit: Entry) -> Named | None:
    if not (one := (_BRIGHTSPACE if unit.folder else _BRIGHTSPACE_FILE).fullmatch(unit.stem)):
        return None
    try:
        time = datetime.datetime.strptime(one["time"], "%b %d, %Y %I%M %p").isoformat(" ")
    except ValueError:  # in another language: two attempts are the student's own matter then
        time = ""
    return Named(one["name"], one.groupdict().get("base") or "", time, number=one["id"])


def _sakai(unit: Entry, sakai: bool) -> Named | None:
    one = _SAKAI.fullmatch(unit.stem)
    return Named(one["id"], one["base"] or "") if one and (one["base"] or (sakai and unit.folder)) else None


def submitters(text: str) -> dict[str, list[str]]:
    """Return who handed in what, by folder, from Gradescope's table: the student's number there, else the address.

    Raises:
        ValueError: It is no such table.
    """
    import yaml

    try:
        table = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from None
    found = dict[str, list[str]]()
    for folder, row in table.items() if isinstance(table, dict) else ():
        people = row.get(":submitters") if isinstance(row, dict) else None
        for one in people if isinstance(people, list) else ():
            called = [str(one[key]) for key in (":sid", ":email", ":name") if isinstance(one, dict) and one.get(key)]
            found.setdefault(str(folder), []).extend(called[:1])
    return found
