"""Every tour is one script with its own dependencies and its own lock, quiet and free of this machine.

The scripts are found, not listed: a new `chapters/*/tours/NAME.py` is looked at as soon as it is there. What a tour
does is tested in its chapter (`chapters/*/tests/`, marked `tour`: the first run fetches packages).
"""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from authoring.readme import chapter_readme
from authoring.repository import ROOT
from authoring.syllabus import Syllabus, disagreements, load_syllabus, tour_stem
from authoring.tours import lines_of, load_results, script_hash, stale
from base.errors import UserError
from base.quiet import TELEMETRY_OFF
from course.tour import NOT_RUN, RAN
from course.tours import told
from tests.mini_course import make_course, write
from tests.test_house import MACHINE_PATH

TOURS = sorted(ROOT.glob("chapters/*/tours/*.py"))
# The block as PEP 723 defines it.
METADATA = re.compile(r"(?m)^# /// script$\s(?P<content>(^#(| .*)$\s)+)^# ///$")
PYTHONS = ("3.11.9", "3.12.9", "3.13.9")
"""One of each series that the course runs on; a tour may need a certain one."""


def faults(script: Path) -> list[str]:
    """Return what a tour breaks of the rules that can be read off it; empty when all is well."""
    text = script.read_text(encoding="utf-8")
    blocks = list(METADATA.finditer(text))
    if len(blocks) != 1:
        return [f"{len(blocks)} blocks of inline metadata, not one"]
    lines = blocks[0].group("content").splitlines()
    metadata = tomllib.loads("\n".join(line.removeprefix("# ").removeprefix("#") for line in lines))
    found = []
    wanted = metadata.get("requires-python", "")
    if not wanted or not any(SpecifierSet(wanted).contains(one) for one in PYTHONS):
        found.append(f"requires-python is {wanted!r}: it must admit one of {', '.join(PYTHONS)}")
    if not metadata.get("dependencies"):
        found.append("no dependencies: then it is no tour")
    imported = {
        alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module == "course.tour"
        for alias in node.names
    }
    if "Tour" not in imported:
        found.append("does not use course.tour.Tour, which keeps it quiet and its exit code honest")
    lock = script.with_name(f"{script.name}.lock")
    if not lock.is_file():
        return [*found, f"no lock: uv lock --script {script.name}"]
    content = lock.read_text(encoding="utf-8")
    if place := MACHINE_PATH.search(content) or re.search(r"file://|(?:path|editable|directory) = ", content):
        found.append(f"the lock names a place of this machine: {place[0]}")
    return found


def out_of_date(script: Path) -> bool:
    """Say whether the lock of a script is no longer that of its metadata."""
    uv = shutil.which("uv")
    assert uv, "the tours are run by uv: install it"
    command = [uv, "lock", "--quiet", "--script", str(script), "--check"]
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


GOOD = """# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["six"]
# ///
from course.tour import Tour

Tour("six", "six").end(stores="nothing", not_proven="much", real=("a", "b"))
"""
LOCK = 'version = 1\nrequires-python = ">=3.11, <3.14"\n'


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A tour with nothing wrong, and its lock."""
    write(tmp_path, "six.py.lock", LOCK)
    return write(tmp_path, "six.py", GOOD)


def test_there_are_tours() -> None:
    """An empty list would pass every test below."""
    assert {"lakefs.py", "pachyderm.py"} <= {path.name for path in TOURS}


@pytest.mark.parametrize("script", TOURS, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_a_tour_keeps_to_the_rules(script: Path) -> None:
    assert faults(script) == []


@pytest.mark.tour
@pytest.mark.parametrize("script", TOURS, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def test_the_lock_of_a_tour_is_current(script: Path) -> None:
    assert not out_of_date(script), f"uv lock --script {script.relative_to(ROOT)}"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# /// script", "# script", "0 blocks of inline metadata"),
        ('# requires-python = ">=3.11,<3.14"\n', "", "requires-python is ''"),
        (">=3.11,<3.14", "==3.10.*", "requires-python is '==3.10.*'"),
        ('["six"]', "[]", "no dependencies"),
        ("from course.tour import Tour", "from six import Tour", "does not use course.tour.Tour"),
    ],
)
def test_a_tour_that_breaks_a_rule_is_found(script: Path, old: str, new: str, says: str) -> None:
    assert faults(script) == []
    script.write_text(GOOD.replace(old, new), encoding="utf-8")
    found = faults(script)
    assert len(found) == 1
    assert says in found[0]


@pytest.mark.parametrize("place", ["/" + "home/ada/wheels/six.whl", "file://wheels/six.whl"])
def test_a_lock_that_only_one_machine_can_use_is_found(script: Path, place: str) -> None:
    lock = script.with_name("six.py.lock")
    lock.write_text(f"{LOCK}source = {{ url = '{place}' }}\n", encoding="utf-8")
    assert "names a place of this machine" in faults(script)[0]
    lock.unlink()
    assert "no lock" in faults(script)[0]


@pytest.mark.tour
def test_a_lock_that_does_not_fit_its_script_is_found(tmp_path: Path) -> None:
    """The metadata of a tour is changed, its lock is not."""
    copy = tmp_path / TOURS[0].name
    for path in (TOURS[0], TOURS[0].with_name(f"{TOURS[0].name}.lock")):
        shutil.copy(path, tmp_path)
    assert not out_of_date(copy)
    text = copy.read_text(encoding="utf-8")
    assert '# dependencies = ["' in text
    copy.write_text(text.replace('# dependencies = ["', '# dependencies = ["six", "', 1), encoding="utf-8")
    assert out_of_date(copy)


def tour(missing: str) -> subprocess.CompletedProcess[str]:
    """Run a tour of nothing in a fresh interpreter whose environment wants telemetry."""
    name = next(iter(TELEMETRY_OFF))
    program = (
        f"import os; os.environ[{name!r}] = 'yes please'\n"
        "from course.tour import Tour\n"
        "tour = Tour('Six', 'pyyaml')\n"
        f"tour.say(os.environ[{name!r}])\n"
        f"tour.end(stores='nothing', not_proven='much', real=('line 1', 'line 2'), missing={missing!r})"
    )
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_tour_that_ran_says_so() -> None:
    done = tour("")
    assert done.returncode == RAN == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "== Six"
    assert lines[1].startswith("versions: Python 3.")
    assert f"pyyaml {yaml.__version__}" in lines[1]
    assert lines[-1] == "status: ran on Six"
    assert "    line 1\n    line 2\n" in done.stdout


def test_a_tour_that_did_not_run_is_no_success() -> None:
    done = tour("no server was given")
    assert done.returncode == NOT_RUN != 0
    assert done.stdout.splitlines()[-1] == "status: NOT RUN on Six: no server was given"
    assert "status: ran" not in done.stdout


def test_a_tour_is_quiet() -> None:
    """Also where it is started by hand, without the `course` command."""
    assert f"\n{TELEMETRY_OFF[next(iter(TELEMETRY_OFF))]}\n" in tour("").stdout


@pytest.mark.parametrize(
    ("system", "stem"),
    [
        ("lakeFS", "lakefs"),
        ("W&B", "w-b"),
        ("Vertex AI pipelines", "vertex-ai-pipelines"),
        ("WhyLabs whylogs", "whylabs-whylogs"),
    ],
)
def test_a_system_names_its_script(system: str, stem: str) -> None:
    assert tour_stem(system) == stem


def test_no_two_systems_of_a_chapter_share_a_script() -> None:
    for chapter in load_syllabus().chapters:
        scripts = [chapter.tour(system) for system in chapter.tours]
        assert len(set(scripts)) == len(scripts)


def test_a_script_of_no_system_is_found(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    write(root, "chapters/01-intro/tours/a-far-system.py", GOOD)
    assert disagreements(load_syllabus(root), root) == []
    write(root, "chapters/01-intro/tours/a-near-system.py", GOOD)
    assert disagreements(load_syllabus(root), root) == [
        "chapters/01-intro/tours/a-near-system.py: a tour of no system in the syllabus"
    ]


def test_the_table_links_the_scripts_that_exist(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    syllabus: Syllabus = load_syllabus(root)
    assert chapter_readme(syllabus.chapters[0], root).splitlines()[-1] == "| a far system | 02 | not written yet |"
    write(root, "chapters/01-intro/tours/a-far-system.py", GOOD)
    last = chapter_readme(syllabus.chapters[0], root).splitlines()[-1]
    assert last == "| a far system | 02 | [a-far-system.py](tours/a-far-system.py) |"


def test_a_tour_tells_how_long_the_system_took_beside_something_plain() -> None:
    program = (
        "import time; from course.tour import Tour; tour = Tour('Six', 'pyyaml')\n"
        "print(tour.plain('a nap', lambda: time.sleep(0.1) or 'woke'))\n"
        "tour.system_does(lambda: time.sleep(0.3))\n"
        "tour.end(stores='nothing', asks='patience', not_proven='much', real=('line 1', 'line 2'))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "\nwoke\n" in done.stdout
    assert told(done.stdout, "asks of you") == "patience"
    assert 1.5 < float(told(done.stdout, "took").removesuffix(" times a nap")) < 9
    with pytest.raises(UserError, match="no line `weighs: "):
        told(done.stdout, "weighs")


def test_the_lines_of_a_tour_are_lines_of_code() -> None:
    text = 'def solve(a):\n    """Say it."""\n\n    # why\n    b = (\n        a\n    )\n    return b\n\n\nsolve(1)\n'
    assert lines_of(text) == 3
    with pytest.raises(UserError, match="no function `solve`"):
        lines_of("def other(): ...\n")


def test_a_script_that_changed_since_it_was_measured_is_found(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    chapter = load_syllabus(root).chapters[0]
    script = write(root, "chapters/01-intro/tours/a-far-system.py", GOOD)
    assert stale(chapter, root) == []  # nothing is measured here
    one = {"system": "a far system", "ran": True, "lines": 3, "took": "2 times a nap", "stores": "s", "asks": "a|b"}
    kept = [one | {"script": script_hash(script)}]
    write(root, "chapters/01-intro/tours/results.json", json.dumps(kept))
    assert stale(chapter, root) == []
    row = chapter_readme(chapter, root).splitlines()[-1]
    assert row == "| a far system | 02 | [a-far-system.py](tours/a-far-system.py) | 3 | 2 times a nap | s | a\\|b |"
    script.write_text(GOOD + "\n# more\n", encoding="utf-8")
    assert stale(chapter, root) == ["a far system"]
    script.unlink()
    assert stale(chapter, root) == list(load_results(chapter, root)) == ["a far system"]
