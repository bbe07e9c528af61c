"""The instructor's guide says what is so: its commands exist, its files appear, its example lab is proven."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from authoring.labs import lab_names, source_notebook
from authoring.proof.prove import prove
from authoring.proof.table import STOCK, ProofTable
from authoring.repository import COMMAND, ROOT
from autograder.examiner.handles import Limits
from autograder.lab.marks import BESIDE
from autograder.lab.text import to_json
from autograder.sandbox.confine import why_not
from autograder.sandbox.linux import ROOTLESS
from course import cli
from tests.lab_server import Lab, wait_for_lab
from tests.test_links import broken_links

GUIDE = ROOT / "autograder" / "README.md"
EXAMPLE = "06-late-payers"
FILE = re.compile(r"`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
USAGE: type[Exception] = typer.BadParameter.__bases__[0]
"""What a command raises that was called wrongly; typer may bring a click of its own."""
needs_sandbox = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")


def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def flat(text: str) -> str:
    """Return a text as one line, marks of quotation left out."""
    return " ".join(text.replace("\n> ", "\n").split())


# --- commands ---


def bad_commands(text: str) -> list[str]:
    """Return the lines of the `sh` blocks, and what the prose says to run, that no command here would take."""
    lines = [line for kind, block in BLOCK.findall(text) if kind == "sh" for line in block.splitlines()]
    lines += [code for code in NAMED.findall(text) if code.startswith(f"{COMMAND} ")]
    return [f"{line}: {why}" for line in lines if (why := _why_bad(shlex.split(line)))]


def _why_bad(words: list[str]) -> str:
    if words[:2] != COMMAND.split():
        return f"does not begin with {COMMAND}"
    if words[2:3] != ["exec"]:
        return _why_bad_verb(words[2:])
    tool, *rest = words[3:]
    if tool == "python":
        shown = subprocess.run(
            [sys.executable, *rest[:2], "--help"], capture_output=True, text=True, check=False
        ).stdout
        return "".join(f"no option {word}" for word in rest if word.startswith("--") and word not in shown)
    if not (Path(sys.executable).parent / tool).exists():
        return f"no command {tool}"
    verb = [word for word in rest[:1] if not word.startswith("-")]
    command = [str(Path(sys.executable).parent / tool), *verb, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    missing = [word for word in rest if word.startswith("--") and word not in done.stdout]
    return f"no {verb or missing}" if done.returncode or missing else ""


def _why_bad_verb(words: list[str]) -> str:
    verbs: Any = typer.main.get_command(cli.app)
    command = verbs.commands.get(words[0])
    if command is None:
        return f"no verb {words[0]}"
    try:
        context = command.make_context(words[0], list(words[1:]), obj=ROOT)
    except USAGE as error:
        return str(error)
    lab = context.params.get("lab")
    return "" if lab in (None, EXAMPLE, *lab_names(ROOT)) else f"no lab {lab}"


def test_every_command_exists() -> None:
    assert bad_commands(guide()) == []
    assert guide().count("```sh") >= 5


@pytest.mark.parametrize(
    "line",
    [
        "python3 bootstrap.py grades 01-reproducible-training",
        "python3 bootstrap.py grade 99-gone",
        "python3 bootstrap.py grade 01-reproducible-training --engines local",
        "python3 bootstrap.py grade 01-reproducible-training --jobs many",
        "python3 bootstrap.py exec python -m authoring.proof.prove 01-reproducible-training --stocks",
        "python3 bootstrap.py exec dask workers",
        "python3 bootstrap.py exec gone",
        "nbgrader autograde 01-reproducible-training",
    ],
)
def test_a_command_that_is_none_is_found(line: str) -> None:
    """In a block, and in prose where it says that it is one."""
    assert len(bad_commands(f"# Page\n\n```sh\n{line}\n```\n")) == 1
    assert len(bad_commands(f"Run `{line}`.\n")) == line.startswith(COMMAND)


def test_every_option_that_the_prose_names_is_one() -> None:
    """Of `course`; `--security-opt` is Docker's."""
    verbs: Any = typer.main.get_command(cli.app)
    known = {
        name for verb in verbs.commands.values() for one in verb.params for name in (*one.opts, *one.secondary_opts)
    }
    named = {word for code in NAMED.findall(guide()) for word in code.split() if re.fullmatch(r"--[a-z-]+", word)}
    assert named - known == {"--security-opt"}


# --- what it points at ---


def test_links_lead_somewhere() -> None:
    assert broken_links(ROOT, [GUIDE.relative_to(ROOT)]) == []


MADE = {"timestamp.txt", "/tmp", "/formgrader", "ada/01-reproducible-training.ipynb"}
MADE |= {"submission_metadata.yml", "var/kept/"}


def missing_paths(text: str) -> list[str]:
    """Return the paths that are named in prose and are neither in the repository nor made by grading."""
    paths = {
        code for code in NAMED.findall(text) if re.fullmatch(r"[\w./-]*(?:/|\.(?:py|md|yml|db|txt))[\w./-]*", code)
    }
    paths -= MADE | {path for path in paths if EXAMPLE in path or re.search("STUDENT|LAB", path)}
    return sorted(path for path in paths if not (ROOT / path).exists() and not path.startswith(("grading/", "work/")))


def test_every_path_exists() -> None:
    assert missing_paths(guide()) == []
    assert missing_paths("see `course/gone.py` and `labs/`") == ["course/gone.py"]


def test_it_quotes_the_code() -> None:
    """Limits, the comment for cells beside the answers, what a machine without namespaces is told."""
    text, limits = flat(guide()), Limits()
    assert f"A cell has {limits.cell_seconds:g} seconds, the notebook {limits.total_seconds:g};" in text
    assert f"may take {limits.memory_mb:,} MB more memory" in text
    assert f"there may be {limits.processes} processes and threads; `/tmp` has {limits.scratch_mb} MB" in text
    assert f"of what a cell shows, {limits.output_bytes:,} bytes are kept" in text
    settings = (ROOT / "nbgrader_config.py").read_text(encoding="utf-8")
    assert "`c.Exchange.root`" in text
    assert "\nc.Exchange.root = " in settings
    course = re.findall(r'c.CourseDirectory.course_id = "(\w+)"', settings)[0]
    assert f"`formgrade-{course}`" in text
    beside = "solutions/02-training-pipeline/02-training-pipeline.py"
    assert BESIDE in [line for _, block in BLOCK.findall(guide()) for line in block.splitlines()]
    assert (ROOT / beside).read_text(encoding="utf-8").splitlines().count(BESIDE) == 3
    assert beside in guide()
    told = f"this machine does not allow {ROOTLESS}"
    quoted = re.findall(r"^> (this machine .*?) …$", guide(), re.MULTILINE)
    assert len(quoted) == 1
    assert told.startswith(quoted[0])


def test_the_table_of_the_benchmark_has_its_place() -> None:
    assert guide().count("<!-- generated: benchmark -->\n") == 1
    assert guide().count("<!-- end generated -->\n") == 1


# --- the example ---


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose one lab is the guide's, from the guide's text, and its notebook as `course build` writes it."""
    root = tmp_path_factory.mktemp("example")
    files = dict(FILE.findall(guide()))
    assert len(files) == 6, "text of the lab, three misconceptions, one alternative, mutants.yml"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    notebook = root / "solutions" / EXAMPLE / f"{EXAMPLE}.ipynb"
    notebook.write_text(to_json(source_notebook(EXAMPLE, root)), encoding="utf-8", newline="\n")
    return root


@pytest.fixture(scope="module")
def proof(example: Path, tmp_path_factory: pytest.TempPathFactory) -> ProofTable:
    """The proof before the exemption is written down."""
    root = tmp_path_factory.mktemp("before")
    shutil.copytree(example, root, dirs_exist_ok=True)
    (root / "solutions" / EXAMPLE / "mutants.yml").unlink()
    return prove(EXAMPLE, root)


@needs_sandbox
def test_the_example_is_proven_as_the_guide_says(example: Path, proof: ProofTable) -> None:
    """Without the exemption one mutant is left, in the words that are quoted; with it nothing is."""
    quoted = [block.strip() for kind, block in BLOCK.findall(guide()) if kind == "text"]
    assert quoted == [proof.failures()]
    before = [row.submission for row in proof.rows]
    assert before[:2] == ["solution", "release"]
    assert before[-2:] == ["solution" + STOCK, "release" + STOCK]
    done = CliRunner().invoke(cli.app, ["--root", str(example), "prove", EXAMPLE])
    assert done.exit_code == 0, done.output


@needs_sandbox
def test_a_misconception_at_the_wrong_price_is_found(example: Path, tmp_path: Path) -> None:
    """The guide's own, made dearer."""
    shutil.copytree(example, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "solutions" / EXAMPLE / "misconceptions" / "ex1-at-least.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{ex1-test-edge: 1}", "{ex1-test: 2, ex1-test-edge: 1}"), encoding="utf-8")
    assert "ex1-at-least: ex1-test: expected 0, got 2" in prove(EXAMPLE, tmp_path).failures()


# --- from release to marks ---


@pytest.fixture(scope="module")
def marked(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide's first part, done: released, collected as a folder, graded, one mark overruled by hand."""
    root = tmp_path_factory.mktemp("marked")
    shutil.copytree(example, root, dirs_exist_ok=True)
    run(root, "release", EXAMPLE)
    released = json.loads((root / "labs" / EXAMPLE / f"{EXAMPLE}.ipynb").read_text(encoding="utf-8"))
    folder = tmp_path_factory.mktemp("handed-in")
    for student, answer in {"ada": "alternatives/ex1-grouped", "bob": "misconceptions/ex1-at-least"}.items():
        text = (root / "solutions" / EXAMPLE / f"{answer}.py").read_text(encoding="utf-8").split("# ---\n")[2]
        for cell in released["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("grade_id") == "ex1":
                cell["source"] = text
        (folder / f"{student}.ipynb").write_text(json.dumps(released), encoding="utf-8")
    run(root, "grade", EXAMPLE, "--submissions", str(folder))
    with Gradebook(f"sqlite:///{root / 'grading' / 'gradebook.db'}") as gradebook:
        grade = gradebook.find_grade("ex1-test-edge", EXAMPLE, EXAMPLE, "bob")
        grade.manual_score, grade.needs_manual_grade = 0.5, False
        gradebook.db.commit()
    return root


def run(root: Path, verb: str, *words: str) -> None:
    done = CliRunner().invoke(cli.app, [verb, *words, "--root", str(root)])
    assert done.exit_code == 0, done.output


@needs_sandbox
def test_everything_is_where_the_guide_says(marked: Path) -> None:
    """Each place that it names for a student or the class."""
    named = [code for code in NAMED.findall(guide()) if re.search("STUDENT|LAB", code)]
    made = [name for name in named if "/" in name and "submitted" not in name]
    assert len(made) >= 7
    for name in made:
        assert (marked / name.replace("STUDENT", "ada").replace("LAB", EXAMPLE)).exists(), name
    assert (marked / "grading" / "gradebook.db").is_file()
    page = (marked / "grading" / "feedback" / "bob" / EXAMPLE / f"{EXAMPLE}.html").read_text(encoding="utf-8")
    assert "more than 30 days late" in page
    assert "1 / 2" not in page, "a hidden test reached the student"


@needs_sandbox
@pytest.mark.parametrize("lms", ["canvas", "moodle"])
def test_the_report_fills_in_what_the_lms_exported(marked: Path, tmp_path: Path, lms: str) -> None:
    """With the mark that was given by hand."""
    exports = {
        "canvas": f"Student,ID,SIS User ID,SIS Login ID,Section,{EXAMPLE} (7)\n    Points Possible,,,,,3\n"
        "Ada,1,ada,ada,A,\nBob,2,bob,bob,A,\n",
        "moodle": "Identifier,Full name,ID number,Grade,Maximum grade,Last modified (grade)\n"
        "Participant 1,Ada,ada,,3,-\nParticipant 2,Bob,bob,,3,-\n",
    }
    export = tmp_path / "export.csv"
    export.write_text(exports[lms], encoding="utf-8")
    run(marked, "report", EXAMPLE, f"--{lms}", str(export))
    text = (marked / "grading" / "reports" / EXAMPLE / f"{lms}.csv").read_text(encoding="utf-8")
    wanted = ["Ada,1,ada,ada,A,3", "Bob,2,bob,bob,A,2.5"]
    assert [line in text for line in (wanted if lms == "canvas" else ["Ada,ada,3,", "Bob,bob,2.5,"])] == [True, True]


@pytest.fixture(scope="module")
def jupyter(marked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab as the guide starts it, in the course's folder."""
    assert "python3 bootstrap.py exec jupyter lab\n" in guide()
    runtime = tmp_path_factory.mktemp("runtime")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    own = {"JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_CONFIG_DIR": str(runtime / "config")}
    environment = {**os.environ, **own}
    environment.pop("JUPYTER_CONFIG_PATH", None)
    log = (runtime / "log.txt").open("w", encoding="utf-8")
    with log, subprocess.Popen(command, cwd=marked, stdout=log, stderr=log, env=environment) as process:
        try:
            server = wait_for_lab(process, runtime)
            yield Lab(server["url"], server["token"])
        finally:
            process.terminate()


@needs_sandbox
def test_formgrader_opens_and_shows_the_marks(jupyter: Lab) -> None:
    """Plain JupyterLab in the course's folder is all that it needs."""
    assert jupyter.get("formgrader/manage_assignments")[0] == 200
    found = jupyter.json(f"formgrader/api/submitted_notebooks/{EXAMPLE}/{EXAMPLE}")
    assert {one["student"]: one["score"] for one in found} == {"ada": 3.0, "bob": 2.5}
    bob = next(one["id"] for one in found if one["student"] == "bob")
    status, page = jupyter.get(f"formgrader/submissions/{bob}/")
    assert status == 200
    assert "30 days late is not more than 30 days late." in page
