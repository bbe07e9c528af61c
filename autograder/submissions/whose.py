"""Whose is it? From the paths of what was handed in to the students, as learning platforms and people lay them out.

A student's name stands at one level of the tree: the outermost that is no folder around all of them. What stands
deeper was named by the student and says nothing of whose it is. Where no name can be known, or several students would
get the same one, grading stops and says what to rename: a cohort is never collapsed, and nobody is left out unsaid.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.submissions.claims import Claim, base_name
from autograder.submissions.listing import Entry, shown
from autograder.submissions.platforms import SAKAI_FOLDER, SUBMITTERS, Named, named
from base.errors import UserError

UNNAMED = "no name of a student is in their paths"

_COPY = re.compile(
    r"(?:(?:copy|kopie|copie|copia)(?: \d+)? (?:of|von|de) )?(?P<base>.+?)"
    r"(?: ?\(\d+\)|(?: -)? (?:copy|kopie|copie|copia)(?: ?\(?\d+\)?)?)*",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?P<base>untitled|unbenannt|notebook|submission|homework|assignment|lab|hw)[-_ ]?\d*", re.I)
_VERSION = re.compile(r"(?:version|attempt) ?(?P<number>\d{1,9})", re.IGNORECASE)
_NOBODY = re.compile(
    r"labs?|notebooks?|submissions?|submitted(?: files)?|submission attachment\(s\)|feedback attachment\(s\)"
    r"|working files|student work|homeworks?|hw|assignments?|exercises?|abgaben?|solutions?|release|source|feedback"
    r"|autograded|src|code|data|datasets?|images?|img|figures?|docs?|outputs?|results?|tests?"
    r"|(?:version|attempt) ?\d+|submission_\d+|\d_(?:tasks?|submissions|corrections|revisions|solutions)",
    re.IGNORECASE,
)
"""Folders that are called after what is in them."""
_BESIDE = re.compile(
    r"readme|licen[cs]e|changelog|contributing|instructions|index|grades|gradebook|marks|roster|students|participants"
    r"|classlist|submission_metadata|timestamp|comments|requirements|environment|makefile|\..*",
    re.IGNORECASE,
)
"""Files that stand beside what students handed in."""
_NOT_THEIRS = re.compile(r"feedback attachment\(s\)|\d_(?:tasks?|corrections|solutions)", re.IGNORECASE)
_COURSES = re.compile(r"solutions|source|release|autograded|feedback|kept", re.IGNORECASE)
"""Folders of a course's repository in which the lab lies as well."""
_PLATFORMS_OWN = re.compile(r"timestamp\.txt|comments\.txt|feedbacktext\.html", re.IGNORECASE)


@dataclass(frozen=True)
class _Unit:
    """A file or folder of one level, with what is in it."""

    entry: Entry
    inside: tuple[Entry, ...] = ()
    copies: tuple[str, ...] = ()
    """The folder of a student's own copies, where the same labs lie as they were handed out."""

    @property
    def name(self) -> str:
        return self.entry.parts[-1]

    @property
    def folder(self) -> bool:
        return self.entry.folder

    @property
    def files(self) -> list[Entry]:
        """All files in it, at any depth, but those that came from the instructor."""
        files = self._outside(_NOT_THEIRS, [entry for entry in self.inside if not entry.folder])
        own = self._outside(_COURSES, files)
        copied = {entry.parts[-2:] for entry in own if self._is_copy(entry)}
        own = [entry for entry in own if entry.parts[-2:] not in copied or self._is_copy(entry)]
        return own if any(entry.notebook for entry in own) else files

    def _is_copy(self, entry: Entry) -> bool:
        return bool(self.copies) and entry.parts[-2 - len(self.copies) : -2] == self.copies

    def _outside(self, folders: re.Pattern[str], files: list[Entry]) -> list[Entry]:
        deep = len(self.entry.parts)
        return [entry for entry in files if not any(folders.fullmatch(part) for part in entry.parts[deep:-1])]

    @property
    def children(self) -> "list[_Unit]":
        return _units(self.inside, len(self.entry.parts), self.copies)

    def direct(self) -> list[Entry]:
        """The files that lie in it itself."""
        return [entry for entry in self.files if len(entry.parts) == len(self.entry.parts) + 1]


def _units(entries: Iterable[Entry], depth: int, copies: tuple[str, ...]) -> list[_Unit]:
    """Return what lies at a depth, each with what is in it."""
    tops, inside = list[Entry](), dict[str, list[Entry]]()
    for entry in entries:
        if len(entry.parts) == depth + 1:
            tops.append(entry)
        elif len(entry.parts) > depth + 1:
            inside.setdefault("/".join(entry.parts[: depth + 1]), []).append(entry)
    return [_Unit(top, tuple(inside.get(top.path, ()) if top.folder else ()), copies) for top in tops]


def _somebody(names: Sequence[str]) -> str:
    """Return the last of the names of folders that may be a student's."""
    return next((name for name in reversed(names) if not _NOBODY.fullmatch(name)), "")


@dataclass
class Layout:
    """Reads the tree of what was handed in for a lab.

    Attributes:
        lab: Name of the lab.
        wanted: Name of the notebook.
        submitters: Reads the table in which a platform says whose its numbered folders are.
        copies: The folder of a student's own copies in a course's repository, see `survey`.
        claims: What was found.
        left: Paths that are nobody's, and why.
    """

    lab: str
    wanted: str
    submitters: Callable[[Entry], Mapping[str, Sequence[str]]]
    copies: tuple[str, ...] = ()
    claims: list[Claim] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)

    def read(self, entries: Sequence[Entry]) -> None:
        """Fill `claims` and `left`.

        Raises:
            UserError: It cannot be known whose the files are.
        """
        above: list[str] = []
        units = _units(entries, 0, self.copies)
        while around := self._around(units, above):
            self._leave((unit for unit in units if unit is not around), "lies beside the folder of the submissions")
            above.append(around.name)
            units = around.children
        folders = [unit for unit in units if unit.folder]
        labs = [unit for unit in folders if self._is_lab(unit.name)]
        if labs and (named := self._named_like_the_lab(e for unit in units if unit not in labs for e in unit.files)):
            raise _nobody_knows(f"some lie in a folder {labs[0].name}, some beside it", [*labs[0].files, *named])
        around_one = len(folders) == 1 and _NOBODY.fullmatch(folders[0].name) and _somebody(above)
        if labs or (around_one and not any(unit.name == SUBMITTERS for unit in units)):
            self._leave((unit for unit in units if labs and unit not in labs), f"lies beside {self.lab}")
            self._one_student(labs or folders, _somebody(above))
        else:
            self._students(units)

    def _leave(self, units: Iterable[_Unit], why: str) -> None:
        self.left += [(unit.entry.path, why) for unit in units]

    # --- which level names the students? ---

    def _around(self, units: list[_Unit], above: list[str]) -> _Unit | None:
        """Return the folder that is only around what students handed in; None where the students' level is reached."""
        if _platform(units) or any(unit.name == SUBMITTERS for unit in units):
            return None
        folders = [unit for unit in units if unit.folder]
        for unit in folders:
            if unit.name.casefold() == "submitted files":  # Teams has `Working files` beside it
                return unit
            if self._is_lab(unit.name):
                return unit if self._holds_students(unit, above) else None
        beside = all(unit.folder or _BESIDE.fullmatch(unit.entry.stem) for unit in units)
        if len(folders) != 1 or not beside or not folders[0].inside or self._named_like_the_lab(folders[0].direct()):
            return None
        return folders[0]

    def _holds_students(self, unit: _Unit, above: list[str]) -> bool:
        """Tell `LAB/STUDENT/…` from `STUDENT/LAB/…`, where a student may have folders of their own."""
        if any(entry.candidate for entry in unit.direct()):
            return not (_somebody(above) or self._named_like_the_lab(unit.direct()))
        names = [one for one in unit.children if one.files and not _NOBODY.fullmatch(one.name)]
        return len(names) > 1 or bool(names and not _somebody(above))

    def _is_lab(self, name: str) -> bool:
        return name in (self.lab, self.wanted)

    def _named_like_the_lab(self, entries: Iterable[Entry]) -> list[Entry]:
        return [entry for entry in entries if self._is_lab(base_name(entry.stem, self.wanted)[0])]

    # --- the students ---

    def _students(self, units: list[_Unit]) -> None:
        """Take the names of files and folders for those of students, as far as no platform wrote them."""
        known = _platform(units)
        tables = [self.submitters(unit.entry) for unit in units if unit.name == SUBMITTERS]
        rest = list[_Unit]()
        for unit in units:
            if unit.entry.path in known:
                self._of_platform(unit, known[unit.entry.path])
            elif tables and tables[0].get(unit.name):
                for student in tables[0][unit.name]:
                    self._all_of(student, unit, unit.files or [unit.entry])
            else:
                rest.append(unit)
        single = self._flat([unit.entry for unit in rest if not unit.folder])
        self._folders([unit for unit in rest if unit.folder], beside=single)

    def _claim(
        self, student: str, entry: Entry, base: str, deep: int, *, tree: bool = False, one: Named | None = None
    ) -> None:
        base, again = base_name(base, self.wanted)
        versions = [int(found["number"]) for part in entry.parts if (found := _VERSION.fullmatch(part))]
        time = (one.time if one else "", max(versions, default=0))
        rank = (again, one.file if one else 0, -deep)
        self.claims.append(Claim(student, entry, base, time, rank, tree, one.note if one else ""))

    def _all_of(self, student: str, unit: _Unit, files: list[Entry], *, tree: bool = False) -> None:
        for entry in files:
            self._claim(student, entry, entry.stem, len(entry.parts), tree=tree)
        if not files:
            self.claims.append(Claim(student, unit.entry, ""))

    def _of_platform(self, unit: _Unit, one: Named) -> None:
        if not unit.folder:
            self._claim(one.student, unit.entry, one.base or unit.entry.stem, len(unit.entry.parts), one=one)
            return
        files = [entry for entry in unit.files if not _PLATFORMS_OWN.fullmatch(entry.parts[-1])]
        for entry in files:
            self._claim(one.student, entry, entry.stem, len(entry.parts), one=one)
        if not files and (unit.files or any(child.name == SAKAI_FOLDER for child in unit.children)):
            self._leave([unit], "holds nothing that was handed in")
        elif not files:
            self.claims.append(Claim(one.student, unit.entry, ""))

    def _one_student(self, units: list[_Unit], student: str) -> None:
        if not student:
            raise _nobody_knows(UNNAMED, [entry for unit in units for entry in unit.files])
        for unit in units:
            self._all_of(student, unit, unit.files, tree=self._is_lab(unit.name))

    def _flat(self, files: list[Entry]) -> bool:
        """Take files for students' that lie beside one another: `ada.ipynb`, `Ada Lovelace - LAB.ipynb`."""
        beside = [entry for entry in files if not entry.candidate and _BESIDE.fullmatch(entry.stem)]
        self.left += [(entry.path, "is not called like a student's file") for entry in beside]
        whose = {entry: entry.stem.removesuffix("-checkpoint") for entry in files if entry not in beside}
        named = {entry: self._before_the_lab(stem) for entry, stem in whose.items()}
        known = set(filter(None, named.values()))
        alike = dict[str, list[Entry]]()
        for entry, stem in whose.items():
            mate = next((one for one in known if stem.startswith(f"{one} - ")), stem.partition(" - ")[0])
            student = named[entry] or (mate if known and " - " in stem else stem)
            self._claim(student, entry, stem.removeprefix(f"{named[entry]} - "), len(entry.parts))
            if entry.candidate and not entry.checkpoint and student in (named[entry], stem):
                alike.setdefault(self._alike(student), []).append(entry)
        for key, same in alike.items():
            if not key:
                raise _nobody_knows("they are called like the lab", same)
            if len({entry.stem for entry in same}) > 1:
                raise _nobody_knows("they look like numbered copies of one file", same)
        return bool(whose)

    def _before_the_lab(self, stem: str) -> str:
        """Return the student of `Ada Lovelace - LAB (1)`, as Google Classroom writes it; else nothing."""
        student, _, base = stem.rpartition(" - ")
        return student if self._is_lab(base_name(base, self.wanted)[0]) else ""

    def _alike(self, student: str) -> str:
        """Return what copies of one file have in common; nothing for one that is called like the lab."""
        bare = re.sub(r"[\W_]", "", _copied(student)).casefold()
        for lab in (self.lab, self.wanted):
            if re.fullmatch(re.escape(re.sub(r"[\W_]", "", lab).casefold()) + r"\d*", bare):
                return ""
        numbered = _NUMBERED.fullmatch(student)
        return numbered["base"].casefold() if numbered else _copied(student)

    def _folders(self, units: list[_Unit], *, beside: bool) -> None:
        """Take the names of folders for students'; `beside` them lie files that are called like students."""
        nobody = [unit for unit in units if _NOBODY.fullmatch(unit.name)]
        if unnamed := [entry for unit in nobody for entry in unit.files if entry.candidate]:
            raise _nobody_knows(UNNAMED, unnamed)
        self._leave(nobody, "is not called like a student")
        units = [unit for unit in units if unit not in nobody]
        tree = any(self.lab in entry.parts[len(unit.entry.parts) :] for unit in units for entry in unit.inside)
        found = {unit.name: self._of_the_lab(unit) if tree else unit.files for unit in units}
        crowded = [unit for unit in units if self._crowded(unit, found[unit.name])]
        if crowded and 2 * len(crowded) >= len(units):
            below = [child for unit in units for child in unit.children]
            names = {child.entry.stem for child in below}
            nameless = any(self._is_lab(name) or _NOBODY.fullmatch(name) for name in names)
            if len(names) == len(below) and not nameless and not beside:
                self._students(below)  # the folders are sections, or days
                return
            several = [entry for unit in crowded for entry in unit.files if entry.notebook]
            if beside or self._named_like_the_lab(several):
                raise _nobody_knows("several people's seem to lie in one folder", several)
        for unit in units:
            if found[unit.name] or not tree:
                self._all_of(unit.name, unit, found[unit.name], tree=tree)
            else:
                self._leave([unit], f"holds nothing for {self.lab}")

    def _of_the_lab(self, unit: _Unit) -> list[Entry]:
        """Return what belongs to the lab in a student's folder that holds several labs."""
        deep = len(unit.entry.parts)
        files = [entry for entry in unit.files if self.lab in entry.parts[deep:]]
        folders = [entry for entry in unit.inside if self.lab in entry.parts[deep:]]
        return files or folders or self._named_like_the_lab(unit.files) or unit.direct()

    def _crowded(self, unit: _Unit, files: list[Entry]) -> bool:
        """Whether several people's files seem to lie in a folder: notebooks in several folders, or of several names."""
        found = [entry for entry in files if entry.notebook and not entry.checkpoint]
        named = self._named_like_the_lab(found)
        deep = len(unit.entry.parts)
        places = {_place(entry.parts[deep:-1], self.lab) for entry in named or found}
        if places == {""} and not named:
            direct = [entry for entry in found if len(entry.parts) == deep + 1]
            return len({base_name(entry.stem, self.wanted)[0] for entry in direct}) > 1
        return "" not in places and len(places) > 1


def _place(folders: tuple[str, ...], lab: str) -> str:
    """Return the first of a student's folders that says more than the lab or the version."""
    above = folders[: folders.index(lab)] if lab in folders else folders
    return next((name for name in above if not _VERSION.fullmatch(name)), "")


def _nobody_knows(why: str, entries: Iterable[Entry]) -> UserError:
    return UserError(
        f"whose are these? {why}: {shown(entries, 5)}. Give each file, or a folder around it, the name of its student, "
        "and run the same command again"
    )


def _platform(units: Sequence[_Unit]) -> dict[str, Named]:
    sakai = any(child.name == SAKAI_FOLDER for unit in units for child in unit.children)
    return named([unit.entry for unit in units], sakai=sakai)


def _copied(stem: str) -> str:
    """Return the name of the file of which one is a copy, `ada` of `ada (1)` and `Copy of ada`."""
    found = _COPY.fullmatch(stem)
    return found["base"] if found else stem
