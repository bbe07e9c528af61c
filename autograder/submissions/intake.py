"""A student's file -> the notebook that is graded: the instructor's cells with the student's text in the answers.

Nothing else of the file counts: not its metadata, its outputs, its kernel, nor its copies of the instructor's cells.
The file is read with limits of its own, since nbformat validates whole outputs and a hostile file can be any JSON.
"""

import bisect
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote

from autograder.model import EXTRA, LOCKED, MANUAL, PICTURES, TEST, Cell, Key, Prepared, Submission
from autograder.submissions.collect import MOST_BYTES

MOST_CELLS, MOST_TEXT, MOST_DEPTH, MOST_NOTES = 1000, 1_000_000, 100, 20
"""Limits of a notebook: cells, characters of one cell, nesting; and how many notes a student gets."""
MOST_TOKENS, MOST_VALUES = 10_000_000, 1_000_000
"""Limits of the file: strings and brackets that are looked at, commas that are left without the stored outputs."""

HAND_IN = "Hand in the .ipynb file as JupyterLab saves it."
MOST_ALL_TEXT, MOST_PICTURES = 5_000_000, 20_000_000
"""Characters of all cells, and of the pictures in them."""
DROPPED = (b"outputs", b"widgets")
TOKEN = re.compile(rb'"((?:[^"\\]++|\\.?+)*+)"?+(\s*+:)?+|[\[\]{}]', re.DOTALL)
BOUND = re.compile(r"^(?:(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]*)?=(?!=))", re.MULTILINE)
ALIKE = 0.5
"""Share of equal lines from which a cell counts as an edited copy of another."""


class RefusedError(Exception):
    """The file cannot be graded; the message is for the student."""


# --- reading the file ---


def _utf8(raw: bytes) -> bytes:
    """Return the file as UTF-8 (or a one-byte code, which JSON's own signs share) without a byte order mark."""
    encoding = json.detect_encoding(raw)
    if encoding == "utf-8":
        return raw
    if encoding == "utf-8-sig":
        return raw[3:]
    return raw.decode(encoding, "replace").encode("utf-8", "replace")


def _without_outputs(raw: bytes, dropped: tuple[bytes, ...] = DROPPED) -> tuple[bytes, list[tuple[int, int]]]:
    """Cut stored outputs out of the text, unread; returns the rest, and per cut its place there and its length."""
    pieces: list[bytes] = []
    cuts: list[tuple[int, int]] = []
    start = kept = depth = 0
    opened = -1  # depth at which the value that is being cut began
    key_end = -1
    for count, token in enumerate(TOKEN.finditer(raw)):
        if count > MOST_TOKENS:
            raise RefusedError(
                f"The file holds more than {MOST_TOKENS} values: clear the outputs and hand it in again."
            )
        sign = raw[token.start()]
        if sign == 0x22:  # a string
            if opened < 0 and token[1] in dropped:
                key_end = token.end()
        elif sign in b"[{":
            depth += 1
            if depth > MOST_DEPTH:
                raise RefusedError(
                    f"The file is nested deeper than {MOST_DEPTH} levels: that is no notebook. {HAND_IN}"
                )
            if opened < 0 and key_end >= 0 and not raw[key_end : token.start()].strip():
                opened = depth
                pieces.append(raw[start : token.start()] + b"null")
                kept += len(pieces[-1])
                start = token.start()
            key_end = -1
        else:
            if depth == opened:
                opened = -1
                cuts.append((kept, token.end() - start - len(b"null")))
                start = token.end()
            depth -= 1
    if opened >= 0:
        raise RefusedError(f"The file ends in the middle of an output: it was not saved or sent whole. {HAND_IN}")
    pieces.append(raw[start:])
    return b"".join(pieces), cuts


def _number(text: str) -> float | None:
    """Read a number of the file; one that no notebook needs is nothing."""
    return float(text) if len(text) < 20 else None


def _load(raw: bytes, note: Callable[[str], None]) -> Any:
    """Return the JSON of the file without its outputs.

    Raises:
        RefusedError: It is none; the message says where.
    """
    raw = _utf8(raw)
    if not re.search(rb"\S", raw):  # `strip` would copy it
        raise RefusedError(f"The file is empty. {HAND_IN}")
    if raw.startswith(b"PK\x03\x04"):
        raise RefusedError(f"The file is a zip archive, not a notebook. {HAND_IN}")
    slim, cuts = _without_outputs(raw)
    if len(slim) > 2 * MOST_PICTURES:
        slim, cuts = _without_outputs(raw, (*DROPPED, b"attachments"))
        note(f"The pictures in the text take more than {2 * MOST_PICTURES // 1_000_000} MB: left out.")
    if slim.count(b",") > MOST_VALUES:
        raise RefusedError(
            f"The file holds more than {MOST_VALUES} values beside its outputs: that is no notebook. {HAND_IN}"
        )
    encoding = "utf-8"
    try:
        text = slim.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
        text = slim.decode(encoding, "replace")
        note("The file is not in UTF-8: read as Windows text; check letters with accents.")
    try:
        return json.loads(text, strict=False, parse_int=_number, parse_float=_number, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        at = len(text[: error.pos].encode(encoding, "replace"))
        at += sum(length for place, length in cuts if place <= at)
        line, column = raw.count(b"\n", 0, at) + 1, at - raw.rfind(b"\n", 0, at)
        where = f"line {line} column {column}: {error.msg}"
        page = " It looks like a web page." if text.lstrip().startswith("<") else ""
        raise RefusedError(f"The file is not a notebook: {where}.{page} {HAND_IN}") from None
    except RecursionError:
        raise RefusedError(f"The file is nested too deeply: that is no notebook. {HAND_IN}") from None


@dataclass(frozen=True)
class _Found:
    """A cell of the student's file."""

    cell_type: str
    source: str
    marks: dict[str, Any]
    cell_id: str
    pictures: tuple[tuple[str, str], ...] = ()

    @property
    def whole(self) -> str:
        """The text with the pictures that were attached to it in their places."""
        text = self.source
        for name, data in self.pictures:
            for written in dict.fromkeys((name, quote(name))):
                text = text.replace(f"](attachment:{written})", f"]({data})", 1)
        return text

    @cached_property
    def norm(self) -> str:
        return _norm(self.source)

    @cached_property
    def lines(self) -> Counter[str]:
        return _lines(self.source)

    @cached_property
    def binds(self) -> set[str]:
        return _binds(self.source)


def _raw_cells(notebook: Any) -> list[Any]:
    """Return the cells of a notebook of any format (before 4 they stand in worksheets)."""
    if isinstance(notebook, dict):
        if isinstance(cells := notebook.get("cells"), list):
            return cells
        if isinstance(sheets := notebook.get("worksheets"), list):
            sheets = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
            return [cell for cells in sheets if isinstance(cells, list) for cell in cells]
    raise RefusedError(f"The file is JSON, but not a notebook: it has no list of cells. {HAND_IN}")


def _pictures(cell: dict[str, Any], room: int) -> tuple[tuple[str, str], ...]:
    """Return the pictures that JupyterLab attached to a cell, as data URIs by name, as far as there is room."""
    attached = cell.get("attachments")
    found = list[tuple[str, str]]()
    for name, bundle in attached.items() if isinstance(attached, dict) else ():
        for media, data in bundle.items() if isinstance(bundle, dict) else ():
            data = _text(data)
            if media in PICTURES.values() and data is not None and len(data) <= room and len(found) < MOST_NOTES:
                found.append((name, f"data:{media};base64,{''.join(data.split())}"))
                room -= len(data)
                break
    return tuple(found)


def _text(source: Any) -> str | None:
    """Return the source of a cell, a string or a list of lines; None where it is neither."""
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source.replace("\r\n", "\n").replace("\r", "\n") if isinstance(source, str) else None


def read_cells(raw: bytes, note: Callable[[str], None]) -> list[_Found]:
    """Return the cells of a student's file.

    Raises:
        RefusedError: It is no notebook, or one beyond the limits.
    """
    if len(raw) > MOST_BYTES:
        raise RefusedError(
            f"The file is larger than {MOST_BYTES // 1_000_000} MB. Clear the outputs and hand it in again."
        )
    entries = _raw_cells(_load(raw, note))
    if len(entries) > MOST_CELLS:
        raise RefusedError(f"The notebook has more than {MOST_CELLS} cells. Hand in the lab's notebook.")
    found, all_text, room = list[_Found](), 0, MOST_PICTURES
    for number, entry in enumerate(entries, 1):
        cell = entry if isinstance(entry, dict) else {}
        source = _text(cell.get("source", cell.get("input")))
        if source is None:
            note(f"Cell {number} holds no text: left out.")
            continue
        if len(source) > MOST_TEXT:
            note(f"Cell {number} is longer than {MOST_TEXT} characters: left out.")
            continue
        all_text += len(source)
        if all_text > MOST_ALL_TEXT:
            raise RefusedError(
                f"The cells hold more than {MOST_ALL_TEXT} characters of text: that is no answer to a lab. {HAND_IN}"
            )
        pictures = _pictures(cell, room) if cell.get("cell_type") != "code" else ()
        room -= sum(len(data) for _, data in pictures)
        if re.search("[\0\ud800-\udfff]", source):
            note(f"Cell {number} holds characters that no program can: NUL left out, broken ones shown as \ufffd.")
            source = re.sub("[\ud800-\udfff]", "\ufffd", source.replace("\0", ""))
        metadata = cell.get("metadata")
        marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
        kind = cell.get("cell_type")
        found.append(
            _Found(
                kind if kind in ("code", "markdown") else "raw",
                source,
                marks if isinstance(marks, dict) else {},
                cell["id"] if isinstance(cell.get("id"), str) else "",
                pictures,
            )
        )
    return found


# --- comparing cells ---


def _norm(source: str) -> str:
    """Return a text without blank lines and spaces at line ends: what an editor may change by itself."""
    return "\n".join(line.rstrip() for line in source.splitlines() if line.strip())


def _lines(source: str) -> Counter[str]:
    return Counter(line.strip() for line in source.splitlines()[:200] if line.strip())


def _alike(a: Counter[str], b: Counter[str]) -> float:
    """Return the share of equal lines of two texts, 0 to 1 (Dice's coefficient)."""
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def _binds(source: str) -> set[str]:
    """Return the names that a text defines at its top level; read by line, so that broken code has names too."""
    return {function or variable for function, variable in BOUND.findall(source)}


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest run of pairs, in order, whose second numbers rise (patience sorting)."""
    tops: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, value) in enumerate(pairs):
        pile = bisect.bisect_left(tops, value)
        before.append(last[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [value]
        last[pile : pile + 1] = [number]
    run, number = [], last[-1] if last else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


def _shown(cell: Cell, key: Key) -> str:
    """Return a cell of the key as it was handed out."""
    if cell.grade_id in key.stubs:
        return key.stubs[cell.grade_id]
    return cell.visible if cell.kind in (TEST, MANUAL) else cell.source


def _title(cell: Cell) -> str:
    """Name a cell in a note, as a student knows it."""
    exercise = re.fullmatch(r"ex(\d+)(-test(?:-(.+))?)?", cell.grade_id)
    if not exercise:
        return f'The cell "{cell.grade_id}"'
    part = f' "{exercise[3]}"' if exercise[3] else ""
    return f"The test{part} of exercise {exercise[1]}" if exercise[2] else f"The answer of exercise {exercise[1]}"


# --- finding the instructor's cells in the student's notebook ---


@dataclass
class _Matching:
    """Which cell of the key each of the student's cells is a copy of, as far as that is known.

    `binds` holds, for each cell that a student fills in, the names that its stub defines.
    """

    key: Key
    found: list[_Found]
    owner: list[int | None] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = [_shown(cell, self.key) for cell in self.key.cells]
        self.norms = [_norm(text) for text in self.shown]
        self.known = [{norm, _norm(cell.source)} for norm, cell in zip(self.norms, self.key.cells, strict=True)]
        self.lines = [_lines(text) for text in self.shown]
        answers = [number for number, cell in enumerate(self.key.cells) if cell.grade_id in self.key.stubs]
        self.binds = {number: _binds(self.shown[number]) for number in answers}
        self.owner = [None] * len(self.found)
        self._by_name()
        self._by_text()
        self._by_binding()
        self._by_likeness()
        self._by_place()

    def copies(self, number: int) -> list[int]:
        """Return the student's copies of a cell of the key, in order."""
        return [index for index, owner in enumerate(self.owner) if owner == number]

    def anchors(self) -> list[tuple[int, int]]:
        """Return pairs of a student's and the key's cell that stand in the order of the key."""
        return _rising([(index, owner) for index, owner in enumerate(self.owner) if owner is not None])

    def _lost(self) -> list[int]:
        """Return the cells of the key without a copy."""
        owned = set(self.owner)
        return [number for number in range(len(self.key.cells)) if number not in owned]

    def _free(self, number: int, anchors: list[tuple[int, int]]) -> list[int]:
        """Return the student's cells that are nobody's copy, between the neighbours of a cell of the key."""
        start = max((index for index, owner in anchors if owner < number), default=-1)
        stop = min((index for index, owner in anchors if owner > number), default=len(self.found))
        return [i for i in range(start + 1, stop) if self.owner[i] is None and self.found[i].norm]

    def _by_name(self) -> None:
        """Believe nbgrader's name of a cell, then the cell's id, unless the text is evidently another cell's."""
        names = {cell.grade_id: number for number, cell in enumerate(self.key.cells) if cell.grade_id}
        kinds = enumerate(cell.kind for cell in self.key.cells)
        fixed = {norm: n for n, kind in kinds if kind in (TEST, LOCKED) for norm in self.known[n] if norm}
        for index, cell in enumerate(self.found):
            marked = cell.marks.get("grade_id")
            name = marked if isinstance(marked, str) and marked in names else cell.cell_id
            number = names.get(name)
            if number in self.binds and cell.norm in fixed:
                number = fixed[cell.norm]
            self.owner[index] = number
        for number in self.binds:  # an answer that bears the name of a test or of a locked cell
            if not self.copies(number) and self.binds[number]:
                for index, cell in enumerate(self.found):
                    owner = self.owner[index]
                    if owner is None or owner in self.binds or not self.binds[number] <= cell.binds:
                        continue
                    if _alike(cell.lines, self.lines[owner]) < ALIKE:
                        self.owner[index] = number

    def _by_text(self) -> None:
        """Recognise untouched cells; a text that several cells share (a short stub) says nothing of an answer."""
        count = Counter(self.norms)
        places: dict[str, list[int]] = {}
        for number in self._lost():
            known = {self.norms[number]} if number in self.binds else self.known[number]
            for norm in sorted(known):
                if norm and (number not in self.binds or count[norm] == 1):
                    places.setdefault(norm, []).append(number)
        for index, cell in enumerate(self.found):
            free = [number for number in places.get(cell.norm, []) if number not in self.owner]
            if self.owner[index] is None and free:
                self.owner[index] = free[0]

    def _by_binding(self) -> None:
        """Find lost answers by the functions and variables that their stubs define."""
        for number in (lost for lost in self._lost() if lost in self.binds):
            for index, cell in enumerate(self.found):
                if self.owner[index] is None and self.binds[number] and self.binds[number] <= cell.binds:
                    self.owner[index] = number

    def _by_likeness(self) -> None:
        """Find edited copies of the instructor's cells, and answers in which much of the stub is left."""
        for number in self._lost():
            cell, anchors = self.key.cells[number], self.anchors()
            names = set() if cell.grade_id else _binds(cell.source)
            scores = []
            for index in self._free(number, anchors):
                found = self.found[index]
                if found.cell_type == cell.cell_type:  # a plain cell with other values (`NAME = "Ann"`) is a copy too
                    alike = _alike(found.lines, self.lines[number])
                    scores.append((1.0 if names and names == found.binds else alike, -index))
            if scores and max(scores)[0] >= ALIKE:
                self.owner[-max(scores)[1]] = number

    def _by_place(self) -> None:
        """Give what stands between two known cells to the answer that is missing there, if its stub names nothing."""
        anchors = self.anchors()
        gaps: dict[tuple[int, ...], list[int]] = {}
        for number in self._lost():
            if number in self.binds and not self.binds[number]:
                kind = self.key.cells[number].cell_type
                free = tuple(i for i in self._free(number, anchors) if self.found[i].cell_type == kind)
                gaps.setdefault(free, []).append(number)
        for free, lost in gaps.items():  # the first: who needs more cells adds them below
            for index, number in zip(free, lost, strict=False):
                self.owner[index] = number


# --- the transplant ---


def _tampered(cell: Cell, marks: dict[str, Any], fills: bool) -> bool:
    """Whether nbgrader's marks on a copy are not those of the key; `fills`: a student fills the cell in."""
    want = {"grade": cell.kind == TEST or (cell.kind == MANUAL and fills), "solution": fills}
    if any(flag in marks and marks[flag] is not value for flag, value in want.items()):
        return True
    return bool(cell.points) and "points" in marks and marks["points"] != cell.points


def _notes_on(cell: Cell, known: set[str], copies: list[_Found]) -> Iterator[str]:
    """Say what was wrong with the copies of a named cell that is the instructor's alone; `known`: its right texts."""
    title = _title(cell)
    if not copies and "" not in known:
        yield f"{title} was missing: graded with the original."
    elif len(copies) > 1:
        yield f"{title} was there {len(copies)} times: graded with the original, once."
    if any(copy.norm not in known for copy in copies):
        yield f"{title} had been edited: graded with the original; what you changed there does not count."
    if any(copy.cell_type != cell.cell_type for copy in copies):
        yield f"{title} had been turned into another type of cell: graded with the original."


def _answer(match: _Matching, number: int, note: Callable[[str], None]) -> Cell | None:
    """Return an answer cell with the text that counts, None where there is no copy; frees the copies above it."""
    cell, copies = match.key.cells[number], match.copies(number)
    filled = [index for index in copies if match.found[index].norm not in ("", match.norms[number])]
    if not copies:
        return None
    chosen = (filled or copies)[-1]
    for index in filled[:-1]:
        match.owner[index] = None
    if len(copies) > 1:
        note(f"{_title(cell)} was there {len(copies)} times: the last one that was filled in counts.")
    if match.found[chosen].cell_type != cell.cell_type:
        note(f"{_title(cell)} was in another type of cell: carried over as {cell.cell_type}.")
    return replace(cell, source=match.found[chosen].whole)


def _transplanted(match: _Matching, note: Callable[[str], None]) -> dict[int, Cell]:
    """Return the cells of the key with the student's text in them; an answer without a copy is not among them."""
    cells = {}
    for number, original in enumerate(match.key.cells):
        copies, fills = [match.found[index] for index in match.copies(number)], number in match.binds
        if original.grade_id and any(_tampered(original, copy.marks, fills) for copy in copies):
            note(f"{_title(original)} had other points or marks: the original ones count.")
        if fills:
            if answer := _answer(match, number, note):
                cells[number] = answer
            continue
        cells[number] = original
        if original.grade_id:
            for text in _notes_on(original, match.known[number], copies) if match.found else ():
                note(text)
        elif copies and copies[0].norm != match.norms[number]:
            cells[number] = Cell(EXTRA, copies[0].cell_type, copies[0].whole)
    return cells


def _extras(match: _Matching, note: Callable[[str], None]) -> dict[int, list[Cell]]:
    """Return the student's own cells by the cell of the key that they stand behind; -1 is the top."""
    tests = set().union(*(match.known[n] for n, cell in enumerate(match.key.cells) if cell.kind == TEST))
    anchors = dict(match.anchors())
    behind: dict[int, list[Cell]] = {}
    place, copied = -1, False
    for index, cell in enumerate(match.found):
        place = anchors.get(index, place)
        if match.owner[index] is None and cell.norm:
            if cell.norm in tests:
                copied = True
            else:
                behind.setdefault(place, []).append(Cell(EXTRA, cell.cell_type, cell.whole))
    if copied:
        note("Copies of tests were left out: each test runs once, as the original.")
    if len(anchors) < len({owner for owner in match.owner if owner is not None}):
        note("Cells stood in another order: graded in the order in which they were handed out.")
    return behind


def _blank(
    match: _Matching, cells: dict[int, Cell], extras: list[Cell], note: Callable[[str], None]
) -> tuple[str, ...]:
    """Put stubs where answers are missing; returns the names of the answers that nobody gave."""
    texts = [*extras, *(cell for number, cell in cells.items() if number in match.binds or cell.kind == EXTRA)]
    givers = Counter(name for cell in texts for name in _binds(cell.source))
    blank = []
    for number, names in match.binds.items():
        cell = match.key.cells[number]
        own = _binds(cells[number].source) if number in cells else set()
        elsewhere = bool(names) and all(givers[name] > (name in own) for name in names)
        if number not in cells:
            cells[number] = replace(cell, source="" if elsewhere else match.shown[number])
            how = "but what it asks for is in another cell" if elsewhere else "taken as not answered"
            note(f"{_title(cell)} was missing: {how}.")
        if _norm(cells[number].source) in ("", match.norms[number]) and not elsewhere:
            blank.append(cell.grade_id)
    return tuple(blank)


def _capped(notes: list[str]) -> tuple[str, ...]:
    notes = list(dict.fromkeys(notes))
    more = len(notes) - MOST_NOTES
    return (*notes[:MOST_NOTES], *([f"And {more} more of that kind."] if more > 0 else []))


def prepare(key: Key, submission: Submission) -> Prepared:
    """Rebuild the notebook of a submission from the key's cells; only text of answers and own cells is the student's.

    Where an answer is there more than once, the last copy that was filled in counts, and filled ones above it stay as
    extra cells, as in a run from top to bottom. A plain cell of the instructor's that was edited is the student's.
    An answer that stands in another cell (cells were merged) leaves its own cell empty and is not `blank`.

    Returns:
        The cells to run and what was put right, or a `fault`, whatever bytes were handed in.
    """
    if submission.fault:
        return Prepared((), fault=submission.fault)
    notes: list[str] = []
    try:
        found = read_cells(submission.notebook, notes.append)
    except RefusedError as refused:
        return Prepared((), _capped(notes), str(refused))
    if not found:
        notes.append("The notebook has no cells.")
    elif not any(isinstance(cell.marks.get("grade_id"), str) for cell in found):
        notes.append("The notebook had lost nbgrader's marks on its cells: your answers were found by name and place.")
    match = _Matching(key, found)
    cells = _transplanted(match, notes.append)
    behind = _extras(match, notes.append)
    blank = _blank(match, cells, [cell for many in behind.values() for cell in many], notes.append)
    ordered = list(behind.get(-1, []))
    for number in range(len(key.cells)):
        ordered += [cells[number], *behind.get(number, [])]
    return Prepared(tuple(ordered), _capped(notes), blank=blank)
