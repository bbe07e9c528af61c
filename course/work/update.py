"""Gives out what is missing in `work/` and what is new in the course, and loses nothing that a learner wrote.

A copy that nobody changed becomes the new version, outputs of unchanged cells kept. One that somebody changed stays:
a lab's answers go on in its new version, and the old file is kept; of a lesson, the new version lies beside.
Files are written aside and then put in place, the manifest last: whatever stops this, the next command goes on with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from authoring.repository import ROOT
from autograder.lab.cells import answered, written
from base.errors import UserError
from base.files import keep_copy, write_bytes
from course.paths import WORK
from course.work import contents, links, manifest
from course.work.contents import Contents, Notebook
from course.work.layout import KEPT, Item, ground, items
from course.work.manifest import Given
from course.work.page import write_page

PATIENCE = 60.0  # seconds that a command waits for another one that is at work in the same folder


@dataclass(frozen=True)
class Original:
    """What the course's folder has of a file.

    Attributes:
        version: Which version it is; empty where somebody worked in it, so that the original is not there.
        content: What is given out.
        contents: What counts of that.
        notebook: The same as a notebook; None of another file.
        found: The notebook with what somebody wrote into it or ran; None where nobody did.
        unedited: The cells of `found` that nobody changed.
    """

    version: str
    content: bytes
    contents: Contents
    notebook: Notebook | None = None
    found: Notebook | None = None
    unedited: frozenset[str] = frozenset()

    def given(self) -> Given:
        """Return what the manifest notes of a copy of it."""
        return Given(version=self.version, cells=self.contents.cells)


class Ground:
    """A learner's folder while a command is at work in it."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, ground(root)
        self.items = items(root)
        self.copies = {item.source: item.copy for item in self.items}
        self.given = manifest.load(self.folder)
        self.before = self.given.model_copy(deep=True)
        self._originals: dict[Item, Original | None] = {}

    def path(self, item: Item) -> Path:
        """Return where the copy is."""
        return self.folder / item.copy

    def shown(self, name: str) -> str:
        """Return how a file of the folder is called in a message."""
        return f"{WORK}/{name}"

    def original(self, item: Item) -> Original | None:
        """Return what the course's folder has of it; None if it cannot be read as what it should be."""
        if item not in self._originals:
            self._originals[item] = self.read(item, self.root / item.source)
        return self._originals[item]

    def read(self, item: Item, path: Path) -> Original | None:
        """Return what a file has that is, or was, in the place of the original."""
        content = path.read_bytes()
        lead = partial(links.rewritten, source=item.source, copies=self.copies, root=self.root)
        if item.kind == "page":
            content = lead(content.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        if item.kind in ("page", "beside"):
            told = contents.of_file(content, notebook=False)
            return Original(told.cells[contents.WHOLE], content, told) if told else None
        notebook = contents.parse(content)
        if notebook is None:
            return None
        copy = contents.for_learner(notebook, lead)
        clean, told = contents.without_outputs(copy), contents.of_notebook(copy)
        worked = any(answered(cell) or written(cell) or cell.get("attachments") for cell in notebook["cells"])
        return Original(
            "" if worked else contents.version_of(clean),
            contents.to_bytes(clean),
            Contents(told.cells),
            clean,
            copy if worked or told.executed else None,
            frozenset(contents.unedited_cells(notebook)),
        )

    def now(self, item: Item) -> Contents | None:
        """Return what counts of the copy as it is; None if it cannot be read."""
        return contents.of_file(self.path(item).read_bytes(), item.copy.endswith(".ipynb"))

    def keep(self, item: Item) -> str:
        """Copy a file to where old ones are kept; returns how it is called there."""
        kept = keep_copy(self.path(item), self.folder / KEPT / item.copy)
        return self.shown(kept.relative_to(self.folder).as_posix())

    def write(self, item: Item, content: bytes, given: Given) -> None:
        """Put a file in the place of the copy, and note what was given out."""
        write_bytes(self.path(item), content)
        self.note(item, given)

    def note(self, item: Item, given: Given) -> None:
        """Note what the copy is made from; a newer version beside it is no longer needed."""
        self.given.files[item.copy] = given
        if given.version and not given.offered:
            self._withdraw(item)

    def bring(self, item: Item) -> str:
        """Bring the copy up to date; returns what there is to say, in one sentence, or nothing."""
        original, path, before = self.original(item), self.path(item), self.given.files.get(item.copy)
        if original is None or not original.version:
            return ""
        if not path.exists():
            self.write(item, original.content, original.given())
            return ""
        if before and original.version in (before.version, before.offered):
            return ""
        mine = self.now(item)
        if mine and mine.same(original.contents.cells):
            self.note(item, original.given())
            return ""
        if mine and before and mine.same(before.cells):
            self.write(item, self._with_outputs(item, original), original.given())
            return ""
        taken_over = item.kind == "lesson" and before is not None and not before.version
        if taken_over and mine and original.contents.cells.keys() <= mine.cells.keys():
            self.note(item, original.given())  # a cell's id tells its original text: this is the version
            return ""
        carried = self._carry(item, original, before)
        return self._offer(item, original, before or Given()) if carried is None else carried

    def _with_outputs(self, item: Item, original: Original) -> bytes:
        mine = contents.parse(self.path(item).read_bytes())
        if original.notebook is None or mine is None:
            return original.content
        return contents.to_bytes(contents.with_outputs_of(original.notebook, mine))

    def _carry(self, item: Item, original: Original, before: Given | None) -> str | None:
        """Have a lab's answers go on in the new version; returns what there is to say, None where they cannot."""
        mine = contents.parse(self.path(item).read_bytes()) if item.kind == "lab" else None
        if mine is None or original.notebook is None:
            return None
        cells = before.cells if before else contents.unedited_cells(mine)
        made = contents.with_answers_of(original.notebook, mine, cells)
        if made is None:
            return None
        name = self.shown(item.copy)
        if contents.of_notebook(made).same(contents.of_notebook(mine).cells):
            self.note(item, original.given())
            return ""
        kept = self.keep(item)
        self.write(item, contents.to_bytes(made), original.given())
        return f"{name} is the new version of the lab, with your answers in it; the file as it was is {kept}."

    def _offer(self, item: Item, original: Original, before: Given) -> str:
        """Lay the new version beside a copy that somebody worked in."""
        name = self._beside(item, original)
        self.given.files[item.copy] = before.model_copy(update={"offered": original.version})
        return f"{self.shown(item.copy)} is yours and stays; its new version lies beside it: {self.shown(name)}."

    def _names_beside(self, item: Item) -> Iterator[str]:
        place, number = PurePosixPath(item.copy), 1
        while True:
            yield place.with_name(f"{place.stem}-new{f'-{number}' * (number > 1)}{place.suffix}").as_posix()
            number += 1

    def _beside(self, item: Item, original: Original) -> str:
        for name in self._names_beside(item):
            there = Item(item.source, name, item.kind)
            if self.path(there).exists():
                mine, before = self.now(there), self.given.files.get(name)
                unedited = mine and before and before.beside and mine.same(before.cells)
                if not unedited and not (mine and mine.same(original.contents.cells)):
                    continue
            self.given.files[name] = original.given().model_copy(update={"beside": True})
            write_bytes(self.path(there), original.content)
            return name
        raise AssertionError("numbers do not end")

    def _withdraw(self, item: Item) -> None:
        """Take away newer versions that lie beside and that nobody changed."""
        for name in self._names_beside(item):
            before = self.given.files.get(name)
            if before is None or not before.beside:
                return
            there = Item(item.source, name, item.kind)
            if self.path(there).exists() and (mine := self.now(there)) and mine.same(before.cells):
                self.path(there).unlink()
            del self.given.files[name]

    def drop_stale(self) -> None:
        """Take away copies of what the course no longer has, as far as nobody worked in them."""
        current = set(self.copies.values())
        for name, before in list(self.given.files.items()):
            if before.beside or name in current:
                continue
            item = Item("", name, "lesson")
            if self.path(item).exists() and (mine := self.now(item)) and mine.same(before.cells) and not mine.executed:
                self.path(item).unlink()
                with suppress(OSError):  # it holds other files
                    self.path(item).parent.rmdir()
            del self.given.files[name]

    def save(self) -> None:
        """Write the manifest, if anything of it has changed."""
        if self.given != self.before:
            manifest.save(self.folder, self.given)
            self.before = self.given.model_copy(deep=True)


@contextmanager
def at_work(root: Path) -> Iterator[Ground]:
    """Be the only command at work in a learner's folder; its manifest is written at the end.

    Raises:
        UserError: Another command does not come to an end there, or the folder cannot be written.
    """
    folder = ground(root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".origin.lock", timeout=PATIENCE):
            here = Ground(root)
            yield here
            here.save()
    except Timeout:
        raise UserError(f"another command is at work in {folder}: wait until it has ended, or stop it") from None
    except OSError as error:
        where = error.filename or folder
        raise UserError(f"cannot write {where}: {error.strerror or error}; your notebooks are as they were") from None


def prepare(root: Path = ROOT) -> list[str]:
    """Bring a learner's folder up to date; returns what there is to say, a sentence each.

    Raises:
        UserError: The folder cannot be written; nothing in it is lost.
    """
    from course.work.earlier import take_over

    with at_work(root) as here:
        said = take_over(here)
        said += [sentence for item in here.items if (sentence := here.bring(item))]
        here.drop_stale()
        here.save()
        write_page(root)
    return said
