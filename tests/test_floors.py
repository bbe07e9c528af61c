"""The floors: each room of the machinery imports only itself and what lies below; shown failing on planted defects."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authoring.repository import ROOT
from tests.repository import files, text_of

FLOORS = ("base", "kernels", "autograder", "authoring", "course")
"""From the ground up. The bank and its chapters stand beside `course`."""
OURS_BEGIN = FLOORS.index("authoring")  # what lies below this floor knows nothing of this course
CHAPTERS_MAY = {"lessons": {"course.lesson"}, "tours": {"course.tour", "base.quiet"}}
"""What of the machinery a room of a chapter may import; all others, and solutions, nothing. Also in ARCHITECTURE.md."""
_MODULE = re.compile(rf"^((?:{'|'.join(FLOORS)})(?:\.\w+)+)(?::\w+)?$")


def named_modules(tree: ast.AST, path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of every module that a module imports, wherever in it, or names in a string of its own."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            within = [*path.parts[: -node.level], node.module] if node.level else [node.module]
            base = ".".join(part for part in within if part)
            names = [base] if base else [alias.name for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [found[1] for found in [_MODULE.match(node.value)] if found]
        yield from ((getattr(node, "lineno", 0), name) for name in names)


def is_code(name: Path) -> bool:
    """Whether a file is code that a room consists of: no test, and no attack, which is data for one."""
    return name.suffix == ".py" and not {"tests", "attacks"} & set(name.parts)


def upward_imports(root: Path, names: list[Path]) -> list[str]:
    """Return each place where a room uses one above it, or a chapter what is not for it."""
    found = []
    for name in filter(is_code, names):
        room = name.parts[0]
        if room not in (*FLOORS, "chapters", "solutions"):
            continue
        for line, module in named_modules(ast.parse(text_of(root / name)), name):
            top = module.split(".")[0]
            if room in FLOORS:
                above = FLOORS[FLOORS.index(room) + 1 :] + (() if room == "course" else ("oakbank",))
                wrong = top in (*above, "bootstrap", "chapters", "solutions", "tests")
            else:
                wrong = top in (*FLOORS, "bootstrap", "tests") and module not in CHAPTERS_MAY.get(name.parts[2], ())
            if wrong:
                found.append(f"{name.as_posix()}:{line}: {room} uses {module}")
    return found


def names_of_the_course(root: Path, names: list[Path]) -> list[str]:
    """Return each line below `authoring` that names this course, its commands, its folders or the rooms above."""
    ours = [name for name in names if name.parts[0] in FLOORS[OURS_BEGIN:] and name.suffix == ".py"]
    modules = {part for name in ours for part in (name.stem, *name.parts[1:-1])} - {"__init__", "__main__"}
    rooms = "|".join(FLOORS[OURS_BEGIN:])
    word = re.compile(
        rf"(?i:bootstrap\.py|oakbank)|\bCOURSE_[A-Z]|`course [a-z]|\b(?:{rooms})[./](?:{'|'.join(modules)})\b"
        r"|(?<![\w./@])(?:solutions|labs|chapters|var|work)/|[\"'](?:solutions|labs|chapters|work)[\"']"
    )
    found = []
    for name in names:
        if name.parts[0] in FLOORS[:OURS_BEGIN] and "tests" not in name.parts and name.suffix != ".md":
            for number, line in enumerate(text_of(root / name).splitlines(), 1):
                if match := word.search(line):
                    found.append(f"{name.as_posix()}:{number}: {match[0]}")
    return found


@pytest.fixture(scope="module")
def names() -> list[Path]:
    """Return the files of the repository."""
    return files()


def plant(root: Path, name: str, text: str) -> list[Path]:
    """Write a file with a defect and return it, with a module of the course, as the list of all files."""
    for path, content in (("course/cli.py", ""), ("authoring/proof/prove.py", ""), (name, text)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content, encoding="utf-8")
    return sorted({Path("course/cli.py"), Path("authoring/proof/prove.py"), Path(name)})


def test_each_room_imports_only_what_lies_below(names: list[Path]) -> None:
    assert {name.parts[0] for name in names} >= {*FLOORS, "chapters", "solutions"}
    assert upward_imports(ROOT, names) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("base/files.py", "import kernels.parent"),
        ("base/files.py", "from autograder.model import Key"),
        ("kernels/door.py", "def late() -> None:\n    from autograder import model"),
        ("kernels/door.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from autograder import model"),
        ("autograder/lab/key.py", "from authoring.labs import source_notebook"),
        ("autograder/lab/key.py", "from ...course.paths import lessons"),
        ("autograder/lab/key.py", "import oakbank.world"),
        ("autograder/cohort/run.py", "import importlib\nimportlib.import_module('course.cli')"),
        ("authoring/build.py", "from course import cli"),
        ("authoring/build.py", "COMMAND = ['python', '-m', 'course.cli']"),
        ("authoring/build.py", "import tests.repository"),
        ("course/cli.py", "import bootstrap"),
        ("chapters/01-intro/lessons/01-planted.py", "from course.paths import lessons"),
        ("chapters/01-intro/tours/planted.py", "from course.lesson import own_git"),
        ("chapters/01-intro/reference/oakbank/world/planted.py", "from base.files import write_text"),
        ("solutions/01-lab/01-lab.py", "import autograder.model"),
    ],
)
def test_an_import_of_a_room_above_is_found(tmp_path: Path, name: str, line: str) -> None:
    """In whatever way it is written, and wherever."""
    assert len(upward_imports(tmp_path, plant(tmp_path, name, line))) == 1


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("kernels/door.py", "from base.errors import UserError\nfrom kernels import parent"),
        ("autograder/lab/key.py", "from . import cells\nimport kernels.parent\nimport nbgrader"),
        ("autograder/tests/test_key.py", "from authoring.labs import source_notebook"),
        ("course/doctor.py", "from oakbank.intro import cluster\nfrom authoring.labs import lab_names"),
        ("chapters/01-intro/lessons/01-planted.py", "from course.lesson import own_git\nfrom oakbank import world"),
        ("chapters/01-intro/tours/planted.py", "from course.tour import Tour"),
    ],
)
def test_what_lies_below_may_be_imported(tmp_path: Path, name: str, line: str) -> None:
    """And a test may look anywhere."""
    assert upward_imports(tmp_path, plant(tmp_path, name, line)) == []


def test_chapters_may_import_what_the_architecture_names() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for modules in CHAPTERS_MAY.values():
        assert all(f"`{module}`" in page for module in modules)


def test_the_grader_names_nothing_of_this_course(names: list[Path]) -> None:
    """It is told by its callers and by the settings of the course that it grades, and could be lifted out."""
    assert names_of_the_course(ROOT, names) == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("autograder/lab/key.py", 'raise UserError("run `python3 bootstrap.py build`")'),
        ("autograder/lab/key.py", '"""As `course grade` does."""'),
        ("autograder/lab/key.py", "# see authoring/proof/prove.py"),
        ("autograder/lab/key.py", '"""See `course.cli`."""'),
        ("autograder/lab/key.py", 'path = root / "solutions" / lab'),
        ("autograder/lab/key.py", 'path = root / f"labs/{lab}"'),
        ("autograder/outputs/templates/report.html", "<h1>Oakbank</h1>"),
        ("kernels/kernelspec/kernel.json", '{"display_name": "Python 3 (Oakbank)"}'),
        ("kernels/door.py", 'FOLDER = "COURSE_WARM"'),
        ("base/quiet.py", 'mail = "ada@oakbank.example"'),
    ],
)
def test_a_name_of_this_course_is_found(tmp_path: Path, name: str, line: str) -> None:
    """In code, comments, templates and settings."""
    assert len(names_of_the_course(tmp_path, plant(tmp_path, name, line))) == 1


def test_nbgraders_own_words_are_no_names_of_this_course(tmp_path: Path) -> None:
    """Its course has folders of its own, one for releases and one for solutions, whatever they are called."""
    text = "course.source_directory, course.config\n# its folder: source/, submitted/\nr'|solutions?|release'\n"
    assert names_of_the_course(tmp_path, plant(tmp_path, "autograder/lab/key.py", text)) == []
