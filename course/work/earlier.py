"""Takes over what was written into the tracked notebooks, where learners worked until there was a folder of their own.

It is copied, from there or from where `build --aside` had moved it, and that file is left as it is.
"""

from pathlib import Path

from authoring.repository import COMMAND, KEPT
from course.work import contents
from course.work.layout import Item
from course.work.manifest import Given
from course.work.update import Ground, Original


def take_over(here: Ground) -> list[str]:
    """Copy to `work/` what somebody wrote into tracked notebooks, or ran there; returns what there is to say of it."""
    taken, said = list[str](), list[str]()
    for item in here.items:
        if item.kind not in ("lesson", "lab"):
            continue
        original = here.original(item)
        if original is None:
            continue
        if original.found is None:
            _take_kept(here, item, taken)
        elif original.version:  # it was run, and nothing was written
            if not here.path(item).exists():
                here.write(item, contents.to_bytes(original.found), original.given())
        elif sentence := _take(here, item, original, taken):
            said.append(sentence)
    tracked = [name for name in taken if not name.startswith(f"{KEPT}/")]
    if taken:
        said.append(f"What you wrote into {_listed(taken)} goes on in work/, which has a copy of it.")
    if tracked:
        said.append(
            f"`{COMMAND} build --aside` makes the course's own files whole again (yours are kept in {KEPT}/), so that "
            "`git pull` works."
        )
    return said


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _take_kept(here: Ground, item: Item, taken: list[str]) -> None:
    """Take over what `build --aside` moved out of the way before there was a copy."""
    if here.path(item).exists() or item.copy in here.given.files:
        return
    source = Path(item.source)
    paths = (here.root / KEPT / source.parent).glob(f"{source.stem}-*{source.suffix}")
    numbered = [(path.stem.removeprefix(f"{source.stem}-"), path) for path in paths]
    for _, path in sorted(((int(number), path) for number, path in numbered if number.isdigit()), reverse=True):
        kept = here.read(item, path)
        if kept and kept.found and not kept.version:
            here.write(item, contents.to_bytes(kept.found), _given(kept))
            taken.append(path.relative_to(here.root).as_posix())
            return


def _given(worked: Original, earlier: str = "") -> Given:
    """Return what the manifest notes of a copy that begins with somebody's work."""
    cells = {name: cell for name, cell in worked.contents.cells.items() if name in worked.unedited}
    return Given(cells=cells, earlier=earlier)


def _take(here: Ground, item: Item, original: Original, taken: list[str]) -> str:
    """Take over one notebook, unless its copy was worked in as well: then say so, once."""
    assert original.found is not None
    digest, path, before = contents.version_of(original.found), here.path(item), here.given.files.get(item.copy)
    if before and before.earlier == digest and path.exists():
        return ""
    given = _given(original, digest)
    mine = here.now(item) if path.exists() else None
    if mine and mine.same(original.contents.cells):
        here.note(item, given)
        return ""
    if path.exists() and not (mine and before and before.version and mine.same(before.cells)):
        here.note(item, (before or Given()).model_copy(update={"earlier": digest}))
        return (
            f"{item.source} holds work, too, and other than {here.shown(item.copy)}: `{COMMAND} check` looks at the "
            "second, and at the first if you give its path."
        )
    if mine and mine.executed:
        here.keep(item)
    here.write(item, contents.to_bytes(original.found), given)
    taken.append(item.source)
    return ""
