"""What is in a folder or a zip that was handed in: paths alone, nothing is read, unpacked or followed."""

import os
import re
import stat
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_DEPTH = 10
"""Folders below the one that was given."""
NO_LINK = "What was handed in is a link, not a file: hand in the notebook itself."
NO_FILE = "What was handed in is not a file: hand in the notebook itself."
TOO_DEEP = f"What was handed in lies more than {MOST_DEPTH} folders deep: hand in the notebook itself."

_UNSEEN = {"__MACOSX", ".ipynb_checkpoints", "__pycache__", ".git", ".venv", ".DS_Store", "Thumbs.db", "desktop.ini"}
"""Made by an editor or a system, not by a student."""
_ENDINGS = (
    "7z bz2 csv doc docx gz htm html ipynb jpeg jpg js json link lnk log md nb odt pdf png pptx py r rar rmd rtf svg "
    "tar tex tgz txt url webloc xlsx xml xz yaml yml zip"
)
_SUFFIXES = re.compile(rf"(?<=.)(?:\.(?:{'|'.join(_ENDINGS.split())}))+\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """A file (or a folder, or something that is neither) below what was given, by its path with `/`."""

    path: str
    member: int = -1
    fault: str = ""
    folder: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders and the name."""
        return tuple(self.path.split("/"))

    @property
    def stem(self) -> str:
        """The last part without what is known as an ending: of `ada.ipynb.txt` `ada`, of `J. Doe` all."""
        return self.parts[-1] if self.folder else _SUFFIXES.sub("", self.parts[-1])

    @property
    def notebook(self) -> bool:
        """Whether it is called like one."""
        return not self.folder and self.path.lower().endswith(".ipynb")

    @property
    def checkpoint(self) -> bool:
        """Whether it is the copy that Jupyter keeps of a notebook."""
        return self.stem.endswith("-checkpoint")

    @property
    def candidate(self) -> bool:
        """Whether it may be what a student handed in: a notebook, a zip, or what cannot be looked at in its place."""
        return self.notebook or bool(self.fault) or (not self.folder and self.path.lower().endswith(".zip"))


def unseen(part: str) -> bool:
    """Tell whether a part of a path was made by an editor or a system."""
    return part in _UNSEEN or part.startswith("._")


def as_bytes(name: str) -> bytes:
    """Return the name of a file as the disk has it."""
    return name.encode("utf-8", "surrogateescape")


def walk(folder: Path) -> list[Entry]:
    """Return what is below a folder, in order, following no link.

    Raises:
        OSError: The folder itself cannot be read; what is below it and cannot be read has a `fault`.
    """
    return list(_walk(os.fsencode(folder), "", 0))


def _walk(folder: bytes, above: str, depth: int) -> Iterator[Entry]:
    with os.scandir(folder) as found:
        inside = sorted(found, key=lambda entry: entry.name)
    for entry in inside:
        name = entry.name.decode("utf-8", "surrogateescape")  # whatever the locale says: the same on every machine
        if not unseen(name):
            yield from _look_at(entry, above + name, depth)


def _look_at(entry: "os.DirEntry[bytes]", path: str, depth: int) -> Iterator[Entry]:
    try:
        if entry.is_symlink():
            yield Entry(path, fault=NO_LINK)
        elif entry.is_file(follow_symlinks=False):
            yield Entry(path)
        elif not entry.is_dir(follow_symlinks=False):
            yield Entry(path, fault=NO_FILE)
        elif depth == MOST_DEPTH:
            yield Entry(path, fault=TOO_DEEP)
        else:
            inside = list(_walk(entry.path, f"{path}/", depth + 1))
            yield Entry(path, folder=True)
            yield from inside
    except OSError as error:
        yield Entry(path, fault=f"What was handed in could not be opened ({error.strerror}): hand it in again.")


def members(archive: zipfile.ZipFile) -> list[Entry]:
    """Return what is in a zip, folders included; nothing of it is trusted, and nothing is written anywhere."""
    folders, files = dict[str, Entry](), list[Entry]()
    for number, info in enumerate(archive.infolist()):
        name = info.filename
        if not info.flag_bits & 0x800:  # the name is not marked as UTF-8, and often is nevertheless
            try:
                name = name.encode("cp437").decode("utf-8")
            except UnicodeError:
                name = info.filename
        whole = name.replace("\\", "/")
        parts = [part for part in whole.split("/") if part not in ("", ".")]
        kept = [part for part in parts if part != ".."]
        fault = _fault(info, whole, leads_out=len(kept) < len(parts))
        above = kept if whole.endswith("/") and not fault else kept[:-1]
        hidden = next((at for at, part in enumerate(kept) if unseen(part)), len(kept))
        for deep in range(1, min(len(above), hidden) + 1):  # also above what is not shown: somebody handed that in
            path = "/".join(above[:deep])
            folders.setdefault(path, Entry(path, folder=True))
        if hidden == len(kept) > len(above):
            files.append(Entry("/".join(kept), number, fault))
    return [*folders.values(), *files]


def _fault(info: zipfile.ZipInfo, whole: str, *, leads_out: bool) -> str:
    """Say why a member of a zip is not looked at; nothing if it may be."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if leads_out or whole.startswith("/") or re.match("[A-Za-z]:", whole):
        return "The path of the file in the zip leads out of it: hand in the notebook itself."
    if kind not in (0, stat.S_IFREG) and not (whole.endswith("/") and kind == stat.S_IFDIR):
        return "What was handed in is a link or a device, not a file: hand in the notebook itself."
    return ""


def shown(entries: Iterable[Entry], most: int = 3) -> str:
    """Name the first files among entries, for a message."""
    paths = sorted(entry.path for entry in entries if not entry.folder)
    return ", ".join(paths[:most]) + (f" and {len(paths) - most} more" if len(paths) > most else "")
