"""The rules of the house, each shown failing on a planted defect."""

import ast
import json
import re
import shutil
import subprocess
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import oakbank
from authoring.repository import ROOT
from base.quiet import TELEMETRY_OFF
from tests.repository import files, text_of

ROOMS = {"README.md", "lessons", "notebooks", "reference", "tests", "tours"}
MAY_HAVE = {"cards", "pictures", "recorded"}
LARGEST = 1_000_000  # bytes
LOCKS = (".lock",)  # a lock names the registry that it was resolved with; nothing else does
# Spelt so that the patterns do not find themselves.
REGISTRY = re.compile(r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|deb[.]debian[.]org|conda[.]anaconda[.]org")
MACHINE_PATH = re.compile(r"(?<![\w.~}/-])/(?:root|home|Users|work|tmp|opt)/[\w.]|\b[A-Z]:\\\\?Users\b")


def package_chapters(root: Path) -> dict[str, str]:
    """Return the chapter of each package of the reference system, e.g. `pipelines` -> `02-pipelines`."""
    return {path.name: path.parents[2].name for path in sorted(root.glob("chapters/*/reference/oakbank/[a-z]*"))}


def named_packages(tree: ast.AST, path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and package of every `oakbank.<package>` that a module imports or names in a string as a module."""
    for node in ast.walk(tree):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = path.parts[path.parts.index("oakbank") : -node.level] if node.level else ()
            base = ".".join([*parts, *([node.module] if node.module else [])])
            modules = [f"{base}.{alias.name}" for alias in node.names] if base == "oakbank" else [base]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            modules = re.findall(r"^(oakbank(?:\.\w+)+)(?::\w+)?$", node.value)
        line = getattr(node, "lineno", 0)
        yield from ((line, module.split(".")[1]) for module in modules if module.startswith("oakbank."))


def later_imports(root: Path) -> list[str]:
    """Return each place where code of a chapter, or of a lab of it, uses a later chapter or what is not there."""
    chapters = package_chapters(root)
    found = []
    for path in sorted([*root.glob("chapters/**/*.py"), *root.glob("solutions/**/*.py")]):
        name = path.relative_to(root)
        for line, package in named_packages(ast.parse(path.read_text(encoding="utf-8")), name):
            chapter = chapters.get(package, "nowhere")
            if chapter[:2] > name.parts[1][:2]:
                found.append(f"{name.as_posix()}:{line}: oakbank.{package} is of {chapter}")
    return found


def missing_rooms(root: Path, names: list[Path]) -> list[str]:
    """Return each room that a chapter lacks and each that only some chapter has."""
    rooms: dict[str, set[str]] = {}
    for name in names:
        if name.parts[0] == "chapters":
            rooms.setdefault(name.parts[1], set()).add(name.parts[2])
    return [
        f"{chapter}: {room}" for chapter, there in sorted(rooms.items()) for room in sorted((there ^ ROOMS) - MAY_HAVE)
    ]


def strange_places(root: Path, names: list[Path]) -> list[str]:
    """Return each line that names a package registry or a path of somebody's machine."""
    found = []
    for name in names:
        if name.suffix in LOCKS:
            continue
        for number, line in enumerate(text_of(root / name).splitlines(), 1):
            match = REGISTRY.search(line) or MACHINE_PATH.search(line)
            of_the_sandbox = match and name.parts[0] == "autograder" and match[0].startswith("/tmp/")  # its own /tmp
            if match and not of_the_sandbox:
                found.append(f"{name.as_posix()}:{number}: {match[0]}")
    return found


def with_outputs(root: Path, names: list[Path]) -> list[str]:
    """Return each notebook that holds what a run printed."""
    found = []
    for name in names:
        if name.suffix == ".ipynb":
            cells = json.loads((root / name).read_text(encoding="utf-8"))["cells"]
            if any(cell.get("outputs") or cell.get("execution_count") for cell in cells):
                found.append(name.as_posix())
    return found


def too_large(root: Path, names: list[Path]) -> list[str]:
    """Return each file that a checkout should not have to carry; the lock of every platform is as long as it is."""
    return [name.as_posix() for name in names if name.name != "uv.lock" and (root / name).stat().st_size > LARGEST]


def telemetry_elsewhere(root: Path, names: list[Path]) -> list[str]:
    """Return each file that names a telemetry variable; prose, `base/quiet.py` and what is made from it may."""
    word = re.compile(rf"\b(?:{'|'.join(TELEMETRY_OFF)})\b")
    found = []
    for name in names:
        text = text_of(root / name)
        generated = re.search(r"generated from .*base/quiet[.]py", text)
        if name != Path("base/quiet.py") and name.suffix != ".md" and not generated and word.search(text):
            found.append(name.as_posix())
    return found


def looks_at_the_truth(root: Path) -> list[str]:
    """Return each place of the reference system that asks a world for its truth, or takes a private part of a feed."""
    found = []
    for path in sorted(root.glob("chapters/*/reference/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None)
            if not isinstance(node, ast.Attribute | ast.Constant) or name not in {"truth", "_world"}:
                continue
            own = name.startswith("_") and isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "self"
            if not own:
                found.append(f"{path.relative_to(root).as_posix()}:{node.lineno}: {name}")
    return found


def private_parts_used(root: Path) -> list[str]:
    """Return each place where a lesson or a lab names what is private to somebody else: what it needs is public."""
    found = []
    for path in sorted([*root.glob("chapters/*/lessons/**/*.py"), *root.glob("solutions/**/*.py")]):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
                names = [node.attr]
            elif isinstance(node, ast.ImportFrom):
                names = [*f"{node.module}".split("."), *(alias.name for alias in node.names)]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr"):
                names = [str(part.value) for part in node.args if isinstance(part, ast.Constant)]
            place = f"{path.relative_to(root).as_posix()}:{getattr(node, 'lineno', 0)}"
            found += [f"{place}: {name}" for name in names if re.match(r"_(?!_)", name)]
    return found


@pytest.fixture
def names() -> list[Path]:
    """Return the files of the repository."""
    return files()


def plant(root: Path, name: str, text: str) -> list[Path]:
    """Write a file with a defect and return it as the list of all files."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")
    return [Path(name)]


def test_no_chapter_uses_a_later_one() -> None:
    """World and intro <- pipelines <- deploy <- governance <- scale; lessons, tests and tours keep to it too."""
    assert package_chapters(ROOT)["world"] == "01-intro"
    assert later_imports(ROOT) == []


@pytest.mark.parametrize(
    "line",
    [
        "import oakbank.scale.report",
        "from oakbank.scale import report",
        "from oakbank import scale",
        "from ..scale import report",
        "from .. import scale",
        'module = "oakbank.scale.report:main_flight"',
        "from oakbank.nowhere import report",
        "def late() -> None:\n    import oakbank.scale",
    ],
)
def test_a_later_import_is_found(tmp_path: Path, line: str) -> None:
    """In whatever way it is written."""
    plant(tmp_path, "chapters/01-intro/reference/oakbank/world/__init__.py", "from . import lake\nimport oakbank.world")
    plant(tmp_path, "chapters/05-scale/reference/oakbank/scale/__init__.py", "from oakbank.world import lake")
    assert later_imports(tmp_path) == []
    plant(tmp_path, "chapters/01-intro/reference/oakbank/world/planted.py", line)
    assert len(later_imports(tmp_path)) == 1


def test_a_later_import_in_a_lesson_is_found(tmp_path: Path) -> None:
    """A lesson may show only what the learner has met."""
    plant(tmp_path, "chapters/02-pipelines/reference/oakbank/pipelines/__init__.py", "")
    plant(tmp_path, "chapters/01-intro/lessons/01-planted.py", "# %%\nfrom oakbank.pipelines import run_training")
    assert later_imports(tmp_path) == [
        "chapters/01-intro/lessons/01-planted.py:2: oakbank.pipelines is of 02-pipelines"
    ]


def test_oakbank_is_one_namespace_in_five_rooms(names: list[Path]) -> None:
    """An `oakbank/__init__.py` in one chapter would hide the packages of the others."""
    assert [name for name in names if name.parts[-2:] == ("oakbank", "__init__.py")] == []
    rooms = {path for path in ROOT.glob("chapters/*/reference/oakbank") if any(path.iterdir())}
    assert rooms <= {Path(part) for part in oakbank.__path__}


def test_every_chapter_has_the_same_rooms(names: list[Path], tmp_path: Path) -> None:
    """Also shown: a room too many and a room too few."""
    assert missing_rooms(ROOT, names) == []
    planted = [Path("chapters/01-intro", room, "x") for room in ROOMS - {"tours"} | {"attic"}]
    assert missing_rooms(tmp_path, planted) == ["01-intro: attic", "01-intro: tours"]


def test_no_registry_and_no_machine_is_named(names: list[Path]) -> None:
    """The repository works from any folder and with any mirror."""
    assert strange_places(ROOT, names) == []


@pytest.mark.parametrize(
    "line",
    [
        "url = 'https://" + "pypi" + ".org/simple'",
        "see https://files." + "pythonhosted" + ".org/x",
        "path = '/" + "root/course'",
        "cd /" + "home/ada/course",
        "/" + "Users/ada/course",
        "(/" + "tmp/scratch)",
        "C:\\" + "Users\\ada",
    ],
)
def test_a_registry_or_a_machine_path_is_found(tmp_path: Path, line: str) -> None:
    """In whatever file it stands; a lock may name its registry."""
    assert len(strange_places(tmp_path, plant(tmp_path, "a/page.md", line))) == 1
    assert strange_places(tmp_path, plant(tmp_path, "uv.lock", line)) == []


def test_no_notebook_holds_outputs(names: list[Path], tmp_path: Path) -> None:
    """What a run prints belongs to the run; also shown: one left in."""
    assert any(name.suffix == ".ipynb" for name in names)
    assert with_outputs(ROOT, names) == []
    notebook = {"cells": [{"cell_type": "code", "source": "1", "execution_count": None, "outputs": [{"text": "1"}]}]}
    assert with_outputs(tmp_path, plant(tmp_path, "a.ipynb", json.dumps(notebook))) == ["a.ipynb"]


def test_no_file_is_large(names: list[Path], tmp_path: Path) -> None:
    """Data is made by the simulator, never committed; also shown: a file of 1.1 MB."""
    assert too_large(ROOT, names) == []
    assert too_large(tmp_path, plant(tmp_path, "data.csv", "x" * 1_100_000)) == ["data.csv"]


def test_telemetry_is_switched_off_in_one_place(names: list[Path], tmp_path: Path) -> None:
    """In `base/quiet.py`; also shown: a second place."""
    assert telemetry_elsewhere(ROOT, names) == []
    line = f"os.environ['{next(iter(TELEMETRY_OFF))}'] = '1'"
    assert telemetry_elsewhere(tmp_path, plant(tmp_path, "chapters/tour.py", line)) == ["chapters/tour.py"]


def test_only_the_books_look_at_the_truth() -> None:
    """What nobody in the bank can see: the books of a flight and of the first model's life ask for it, nothing else."""
    places = Counter(place.partition(":")[0].rpartition("/")[2] for place in looks_at_the_truth(ROOT))
    assert places == {"life.py": 1, "flight.py": 2}


@pytest.mark.parametrize(
    "line", ["world.truth(3)", "ask = world.truth", "getattr(world, 'truth')(3)", "feed._world.applications(3)"]
)
def test_a_look_at_the_truth_is_found(tmp_path: Path, line: str) -> None:
    """In whatever way it is written."""
    sound = "def of(self):\n    return self._world.applications(3)"
    plant(tmp_path, "chapters/01-intro/reference/oakbank/world/feed.py", sound)
    assert looks_at_the_truth(tmp_path) == []
    plant(tmp_path, "chapters/05-scale/reference/oakbank/scale/policy.py", line)
    assert len(looks_at_the_truth(tmp_path)) == 1


def test_lessons_and_labs_use_what_is_public() -> None:
    """What is worth showing has a public name."""
    assert private_parts_used(ROOT) == []


@pytest.mark.parametrize("name", ["chapters/02-x/lessons/01-y.py", "solutions/02-z/02-z.py"])
@pytest.mark.parametrize(
    "line",
    [
        "print(inspect.getsource(Steps._make))",
        "registry._version('1').tags['x']",
        "from oakbank.pipelines.artifacts import _hash",
        "from oakbank.pipelines._hidden import Steps",
        "getattr(batcher, '_call')()",
    ],
)
def test_a_private_part_is_found(tmp_path: Path, name: str, line: str) -> None:
    """In whatever way it is named; what a lesson's own class keeps to itself is its own, and `__doc__` is nobody's."""
    own = "class Own:\n    def __init__(self):\n        self._kept = Own.__doc__\n"
    plant(tmp_path, name, own)
    assert private_parts_used(tmp_path) == []
    plant(tmp_path, name, own + line)
    assert len(private_parts_used(tmp_path)) == 1


def test_only_files_of_the_repository_are_looked_at(tmp_path: Path) -> None:
    """A new file counts, an ignored one does not; the same without `.git`, as in a zip."""
    git = shutil.which("git")
    assert git, "the house rules look at the files that git knows: install git"
    subprocess.run([git, "init", "-q", str(tmp_path)], check=True)
    plant(tmp_path, ".gitignore", "ignored\n")
    plant(tmp_path, "ignored", "")
    plant(tmp_path, "new.py", "")
    assert files(tmp_path) == [Path(".gitignore"), Path("new.py")]
    shutil.rmtree(tmp_path / ".git")
    assert files(tmp_path) == [Path(".gitignore"), Path("new.py")]


def test_the_course_has_the_version_that_the_changelog_begins_with() -> None:
    told = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert told is not None
    assert told[1] == settings["project"]["version"]
    assert re.fullmatch(r"20\d\d\.[1-4](\.\d+)?", told[1]), "year and term, and what is mended within it"
