"""A student's file as cells, read with limits: nbformat would validate whole outputs, and a file can be any JSON."""

import json
import re
from collections.abc import Callable
from typing import Any

from autograder.model import PICTURES
from autograder.submissions.collect import MOST_BYTES
from autograder.submissions.found import FoundCell

MOST_CELLS, MOST_TEXT, MOST_DEPTH, MOST_NOTES = 1000, 1_000_000, 100, 20
"""Limits of a notebook: cells, characters of one cell, nesting; and how many notes a student gets."""
MOST_TOKENS, MOST_VALUES = 10_000_000, 1_000_000
"""Limits of the file: strings and brackets that are looked at, commas that are left without the stored outputs."""

HAND_IN = "Hand in the .ipynb file as JupyterLab saves it."
MOST_ALL_TEXT, MOST_PICTURES = 5_000_000, 20_000_000
"""Characters of all cells, and of the pictures in them."""
DROPPED = (b"outputs", b"widgets")
TOKEN = re.compile(rb'"((?:[^"\\]++|\\.?+)*+)"?+(\s*+:)?+|[\[\]{}]', re.DOTALL)


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


def read_cells(raw: bytes, note: Callable[[str], None]) -> list[FoundCell]:
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
    found, all_text, room = list[FoundCell](), 0, MOST_PICTURES
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
            FoundCell(
                kind if kind in ("code", "markdown") else "raw",
                source,
                marks if isinstance(marks, dict) else {},
                cell["id"] if isinstance(cell.get("id"), str) else "",
                pictures,
            )
        )
    return found
