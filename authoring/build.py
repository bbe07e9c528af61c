"""Every generated file of the repository, from its one truth.

| truth | generated |
|---|---|
| `chapters/*/lessons/*.py` | `chapters/*/notebooks/*.ipynb` |
| `solutions/<lab>/<lab>.py` | `solutions/<lab>/<lab>.ipynb`, `labs/<lab>/` (by nbgrader, with `nbgrader_config.py`) |
| `uv.lock`, `base/quiet.py` | `environment.yml`, `postBuild`, `.devcontainer/devcontainer.json` |
| `course/syllabus.yml` | the table in `README.md`, `chapters/*/README.md` |
| `course/glossary.yml` | `GLOSSARY.md` |

`build()` writes what differs; `build(check=True)` writes nothing and says what differs, what is stale, where an
answer has leaked to learners, what the text of a lab or lesson breaks of the rules, which recorded outputs are stale or
edited, and where syllabus and files disagree.
As a command: `python -m authoring`.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from authoring.environment import environment_files
from authoring.glossary import PAGE, SOURCE, GlossaryError, glossary_page, load_glossary
from authoring.labs import lab_files, lab_names
from authoring.leaks import find_leaks
from authoring.lesson.gates import text_faults
from authoring.notebooks import lesson_notebook
from authoring.readme import chapter_readme, main_readme
from authoring.recording import recording_faults
from authoring.repository import KEPT, ROOT
from authoring.syllabus import disagreements, load_syllabus
from authoring.texts import all_text_faults
from autograder.lab.cells import holds_work
from base.errors import BuildError
from base.files import put_aside, write_text

PLACES = ("chapters/*/notebooks/**/*", "solutions/*/*.ipynb", "labs/**/*")
"""Where only generated files may be."""
WORK = (
    "it holds somebody's work and is left as it is: save a copy of your own under another name, or run "
    f"`python3 bootstrap.py build --aside`, which moves it to {KEPT}/ and writes it anew"
)
LEFT_BY_RUNS = {".ipynb_checkpoints", "__pycache__", "mlruns", "mlflow.db", ".gitkeep"}


def _plan(root: Path, only: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the text of every generated file whose path or source contains `only`, and what went wrong by source."""
    files: dict[str, str] = {}
    faults: dict[str, str] = {}

    def attempt(source: str, make: Callable[[], dict[str, str]]) -> None:
        try:
            files.update(make())
        except BuildError as error:
            faults[source] = str(error)

    for path in sorted(root.glob("chapters/*/lessons/*.py")):
        source = path.relative_to(root).as_posix()
        if only in source:
            attempt(source, lambda path=path: dict([lesson_notebook(path, root)]))  # type: ignore[misc]
    labs = [lab for lab in lab_names(root) if only in f"solutions/{lab}/{lab}.py" or only in f"labs/{lab}/"]
    try:
        files |= lab_files(labs, root)
    except BuildError:  # one of them is broken: take them one by one, so that the others are built
        for lab in labs:
            attempt(f"solutions/{lab}/{lab}.py", lambda lab=lab: lab_files([lab], root))  # type: ignore[misc]

    rest: dict[str, str] = {}
    syllabus = load_syllabus(root)
    readme = root / "README.md"
    try:
        text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
        rest["README.md"] = main_readme(text, syllabus)
    except BuildError as error:
        if only in "README.md":
            faults["README.md"] = str(error)
    rest |= {f"chapters/{chapter.id}/README.md": chapter_readme(chapter, root) for chapter in syllabus.chapters}
    if (root / SOURCE).is_file():
        try:
            rest[PAGE] = glossary_page(load_glossary(syllabus, root), syllabus)
        except GlossaryError as error:
            if only in SOURCE or only in PAGE:
                faults[SOURCE] = str(error)
    try:
        rest |= environment_files(root)
    except BuildError as error:
        if not only:
            faults["uv.lock"] = str(error)
    return files | {path: text for path, text in rest.items() if only in path}, faults


def _stale(root: Path, files: dict[str, str], faults: dict[str, str], only: str) -> list[str]:
    """Return the files in generated places that nothing generates any more."""
    broken = {Path(source).stem for source in faults}
    there = sorted({path for place in PLACES for path in root.glob(place) if path.is_file()})
    names = [
        path.relative_to(root).as_posix()
        for path in there
        if not LEFT_BY_RUNS & set(path.parts) and path.stem not in broken and not broken & set(path.parts)
    ]
    return [name for name in names if name not in files and only in name]


def _is_ours(path: Path) -> bool:
    """Say whether a file carries the notice of a generated notebook; nothing else may be deleted."""
    if path.suffix != ".ipynb":
        return False
    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))["metadata"]
        return "generated from" in metadata["oakbank"]["notice"]
    except (UnicodeDecodeError, ValueError, KeyError, TypeError):
        return False


def _differs(root: Path, name: str, text: str) -> str | None:
    path = root / name
    if not path.is_file():
        return f"{name}: missing"
    return None if path.read_bytes() == text.encode() else f"{name}: differs from what is generated"


def _guarded(root: Path, names: Iterable[str], aside: bool) -> tuple[list[str], list[str]]:
    """Find the notebooks that a person worked in, or put them aside; returns those that may be written, and the others.

    The text of a lab and its notebook stand side by side in `solutions/`: there the text alone is a person's.
    """
    free, kept = list[str](), list[str]()
    for name in names:
        if name.startswith("solutions/") or not holds_work(root / name):
            free.append(name)
        elif aside:
            put_aside(root / name, root, root / KEPT)
            free.append(name)
        else:
            kept.append(name)
    return free, kept


def build(check: bool = False, root: Path = ROOT, only: str = "", aside: bool = False) -> list[str]:
    """Write the generated files, or say what is wrong with them.

    Args:
        check: Write nothing; return the differences instead.
        root: The repository.
        only: Look only at files whose path, or whose source's path, contains this text.
        aside: Move notebooks that a person worked in to `authoring.repository.KEPT`, and write them anew.

    Returns:
        The paths written or deleted; with `check` one `path: what is wrong` each. Empty when all is well.

    Raises:
        BuildError: Without `check`: a source cannot be built, a stale file is not ours to delete, an answer leaks, or
            a notebook holds a person's work, which is left as it is. What could be built has been written.
        SyllabusError: The syllabus cannot be read.
    """
    files, faults = _plan(root, only)
    stale = _stale(root, files, faults, only)
    problems = [message if source in message else f"{source}: {message}" for source, message in faults.items()]
    wrong = {name: reason for name, text in files.items() if (reason := _differs(root, name, text))}
    if check:
        problems += list(wrong.values())
        problems += [f"{name}: stale, nothing generates it" for name in stale]
    else:
        free, kept = _guarded(root, wrong, aside)
        for name in free:
            write_text(root / name, files[name])
        problems += [f"{name}: {WORK}" for name in kept]
        ours = [name for name in stale if _is_ours(root / name)]
        problems += [f"{name}: nothing generates it: move it out of here" for name in stale if name not in ours]
        wrong = {name: wrong[name] for name in free}
        stale, kept = _guarded(root, ours, aside)
        problems += [f"{name}: nothing generates it, but {WORK}" for name in kept]
        for name in stale:
            (root / name).unlink(missing_ok=True)  # it may have been put aside
    sound = [lab for lab in lab_names(root) if f"solutions/{lab}/{lab}.ipynb" in files]
    for lab in sound:
        problems += find_leaks(lab, root)
    if check:
        syllabus = load_syllabus(root)
        texts = all_text_faults(sound, root, syllabus)
        texts += [] if faults else text_faults(root, syllabus)
        others = (*texts, *recording_faults(root), *disagreements(syllabus, root))
        return problems + [problem for problem in others if only in problem]
    if problems:
        raise BuildError("\n".join(problems))
    return [*wrong, *stale]
