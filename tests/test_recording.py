"""What a lesson shows where a machine lacks what it needs: recorded, marked, compared, and found stale or edited."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from authoring.notebooks import lesson_notebook
from authoring.recording import PICTURE, Cell, Recording, load, recording_faults, recording_path, save
from course import cli
from course.execute import execute
from course.record import RULES, compared, difference
from course.recorded import CHANGED
from kernels.provisioner import own_kernel_name

TEXT = """# %% [markdown]
# # 01 First

# %%
from pathlib import Path

from course.lesson import recorded

here = Path({root!r}, "engine")
recorded("01/01", {{"Engine": here.read_text()}} if here.exists() else None, Path({root!r}))

# %% language="shell"
# python -c "import uuid; print('started', uuid.uuid4())"
# python -c "import sys; \\
#     sys.exit(3)"
# python -c "print('no line end', end='')"

# %% recorded=true
from IPython.display import HTML, display

display({{"image/png": b"a picture", "text/plain": "a page"}}, raw=True)
HTML("<table><tr><td>1</td></tr></table>")

# %%
print("of every machine")
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """A course with one lesson on a machine that has what it needs; its text."""
    text = tmp_path / "chapters" / "01-intro" / "lessons" / "01-first.py"
    write(text, TEXT.format(root=str(tmp_path)))
    (tmp_path / "engine").write_text("1.0", encoding="utf-8")
    return text


def write(path: Path, text: str) -> None:
    """Write the text of a lesson and its notebook."""
    root = path.parents[3]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    name, notebook = lesson_notebook(path, root)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text(notebook, encoding="utf-8")


def course(lesson: Path, *words: str) -> tuple[int, str]:
    """Run the command; returns its exit code and what it says."""
    done = CliRunner().invoke(cli.app, ["--root", str(lesson.parents[3]), *words])
    return done.exit_code, done.output


def run(lesson: Path, tmp_path: Path) -> list[dict[str, Any]]:
    """Execute the lesson's notebook; returns its code cells."""
    notebook = lesson.parents[1] / "notebooks" / "01-first.ipynb"
    outcome = execute(notebook, tmp_path / "ran.ipynb", tmp_path / "scratch", lambda cell: None, own_kernel_name())
    assert outcome.failure is None
    cells = json.loads((tmp_path / "ran.ipynb").read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def printed(cell: dict[str, Any]) -> str:
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


def test_a_lesson_is_recorded_and_shown_elsewhere(lesson: Path, tmp_path: Path) -> None:
    assert course(lesson, "record", "01/01") == (0, "01/01: recorded\nnothing was recorded before\n")
    file = recording_path(lesson)
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert data["versions"] == {"Engine": "1.0"}
    assert [cell["source"].splitlines()[0] for cell in data["cells"]] == [
        "%%shell",
        "from IPython.display import HTML, display",
    ]
    (shell,) = data["cells"][0]["outputs"]
    assert re.fullmatch(
        r"""\$ python -c "import uuid; print\('started', uuid.uuid4\(\)\)"
started [0-9a-f-]{36}
\$ python -c "import sys; \\
    sys.exit\(3\)"
\[exit code 3\]
\$ python -c "print\('no line end', end=''\)"
no line end
""",
        shell["text"],
    )
    assert (file.parent / "01-first-1.png").read_bytes() == b"a picture"

    before = file.read_bytes()
    assert course(lesson, "record") == (0, "01/01: as it was recorded\n")
    assert file.read_bytes() == before, "another id is no difference"
    assert course(lesson, "record", "--check") == (0, "01/01: as it was recorded\n")

    (tmp_path / "engine").unlink()
    setup, shell, page, every = run(lesson, tmp_path)
    assert printed(setup) == f"The cells that need it show what they showed on {data['date']}, with Engine 1.0.\n"
    mark = f"[recorded on {data['date']} with Engine 1.0; not run here]\n"
    assert printed(shell) == mark + data["cells"][0]["outputs"][0]["text"]
    assert printed(page) == mark
    assert [sorted(output["data"]) for output in page["outputs"][1:]] == [
        [PICTURE, "text/plain"],
        ["text/html", "text/plain"],
    ]
    assert base64.b64decode(page["outputs"][1]["data"][PICTURE]) == b"a picture"
    assert printed(every) == "of every machine\n"
    assert course(lesson, "record") == (1, "01/01: this machine lacks what it needs\n")

    write(lesson, lesson.read_text(encoding="utf-8").replace("started", "begun"))
    assert printed(run(lesson, tmp_path)[1]) == f"{CHANGED}\n", "commands of another cell run nowhere else"


def test_a_recorded_cell_that_fails_is_named(lesson: Path) -> None:
    write(lesson, lesson.read_text(encoding="utf-8").replace("HTML(", "1 / 0, HTML("))
    code, said = course(lesson, "record", "01/01")
    assert code != 0
    assert "01/01 does not run: cell " in said
    assert "ZeroDivisionError" in said
    assert not recording_path(lesson).is_file()


def test_what_a_machine_shows_now_is_compared(lesson: Path, tmp_path: Path) -> None:
    """Another output is found; with other versions, another exit code."""
    course(lesson, "record")
    text, file = lesson.read_text(encoding="utf-8"), recording_path(lesson)
    before = file.read_bytes()
    write(lesson, text.replace("<td>1</td>", "<td>{1 + 1}</td>").replace('HTML("', 'HTML(f"'))
    code, said = course(lesson, "record", "--check")
    assert (code, said.splitlines()[0]) == (1, "01/01: differs from its recording")
    assert {"-<table><tr><td>1</td></tr></table>", "+<table><tr><td>2</td></tr></table>"} <= set(said.splitlines())
    (tmp_path / "engine").write_text("2.0", encoding="utf-8")
    assert course(lesson, "record", "--check")[0] == 0, "other versions word things otherwise"
    write(lesson, text.replace("exit(3)", "exit(4)"))
    code, said = course(lesson, "record", "--check")
    assert code == 1
    assert {"-[exit code 3]", "+[exit code 4]"} <= set(said.splitlines())
    assert file.read_bytes() == before
    assert course(lesson, "record")[1].startswith("01/01: recorded\n")
    assert load(file).versions == {"Engine": "2.0"}


@pytest.fixture
def recording(lesson: Path) -> Path:
    """The recording of the lesson, without running it."""
    sources = lesson.read_text(encoding="utf-8").split("# %%")
    shell = "%%shell\n" + "\n".join(line.removeprefix("# ") for line in sources[3].splitlines()[1:] if line)
    page = "\n".join(sources[4].splitlines()[1:]).strip()
    picture = base64.b64encode(b"a picture").decode()
    cells = (Cell(shell, ({"text": "$ x\nup 3 hours\n"},)), Cell(page, ({PICTURE: picture},)))
    save(Recording("01/01", "2026-11-29", {"Engine": "1.0"}, cells), recording_path(lesson))
    return recording_path(lesson)


def faults(lesson: Path) -> list[str]:
    return list(recording_faults(lesson.parents[3]))


def test_a_recording_that_is_right_has_no_fault(recording: Path, lesson: Path) -> None:
    assert faults(lesson) == []
    assert load(recording).made_with == "Engine 1.0"


NAME = "chapters/01-intro/recorded/01-first.yml"
AGAIN = "run `python3 bootstrap.py record 01/01`"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("up 3 hours", "up 4 hours", f"it was edited by hand: a recording shows what a machine showed; {AGAIN}"),
        ("2026-11-29", "2027-11-29", f"it was edited by hand: a recording shows what a machine showed; {AGAIN}"),
        ("Engine: '1.0'", "Engine: '9.0'", f"it was edited by hand: a recording shows what a machine showed; {AGAIN}"),
        ("outputs:", "inputs:", f"01-first.yml cannot be read: 'outputs'; {AGAIN}"),
        ("cells:", "cells: {", "01-first.yml cannot be read"),
    ],
)
def test_a_recording_edited_by_hand_is_found(recording: Path, lesson: Path, old: str, new: str, fault: str) -> None:
    text = recording.read_text(encoding="utf-8")
    assert old in text
    recording.write_text(text.replace(old, new), encoding="utf-8")
    (found,) = faults(lesson)
    assert found.startswith(f"{NAME}: {fault}")


def test_a_picture_edited_by_hand_is_found(recording: Path, lesson: Path) -> None:
    recording.with_name("01-first-1.png").write_bytes(b"another")
    assert faults(lesson) == [f"{NAME}: it was edited by hand: a recording shows what a machine showed; {AGAIN}"]


def test_a_stale_a_missing_and_a_left_over_recording_are_found(recording: Path, lesson: Path) -> None:
    text = lesson.read_text(encoding="utf-8")
    write(lesson, text.replace("exit(3)", "exit(4)"))
    assert faults(lesson) == [f"{NAME}: stale, the lesson's cells are others now: {AGAIN}"]
    write(lesson, text.split("# %% language")[0])
    assert faults(lesson) == [f"{NAME}: no lesson has cells of which this is the recording"]
    write(lesson, text)
    recording.unlink()
    assert faults(lesson) == [f"{NAME}: missing, and the lesson has cells to record: {AGAIN}"]


SAME = {
    "ids and digests": ("Created 4f2a9c01b7de", "Created 0123456789ab"),
    "uids": ("UID: 1f0e8d7c-1111-2222-3333-444455556666", "UID: 0f0e8d7c-1111-2222-3333-444455556667"),
    "names of pods": ("scorer-6d5f7c9b8-x2x4q is gone", "scorer-7d5f7c9b8-zz4qq is gone"),
    "names of a Job's pods": ("greedy-x2x4q_oakbank", "greedy-4qx2x_oakbank"),
    "ages in words": ("Up 3 seconds (healthy)", "Up About a minute (healthy)"),
    "ages": ("scorer 1/1 Running 0 4s", "scorer 1/1 Running 0 1m12s"),
    "times of CI tools": ("train finished in 418 ms", "train finished in 1.93 s"),
    "what act says of Docker": ('time="2026" level=info msg="Using docker host x"\nRun', "Run"),
    "times of day": ("2026-11-29T23:10:01.5Z started", "2026-11-29T23:12:09.25Z started"),
    "days": ("Start Time: Sun, 29 Nov 2026", "Start Time: Mon, 30 Nov 2026"),
    "addresses inside": ("172.17.0.2:51122 - GET", "172.17.0.3:41122 - GET"),
    "memory in use": ("38.5MiB / 128MiB", "39MiB / 128MiB"),
    "sizes of images and layers": ("oakbank 139MB", "oakbank 1.2kB"),
    "ports of IPv6": ("0.0.0.0:8080->8000/tcp, :::8080->8000/tcp", "0.0.0.0:8080->8000/tcp"),
    "process numbers": ("9794                root   sleep", "102                root   sleep"),
    "layers that only one image had": ("Untagged: x\nDeleted: y\n", "Untagged: x\n"),
    "pods on their way out": ("scorer 0/1 Terminating 0 4s\nscorer", "scorer"),
    "a probe before the program listens": ("Unhealthy: dial: connect: connection refused\nx", "x"),
    "how often one had to wait": ("Waiting for 1 of 2\nWaiting for 2\nout", "out"),
    "widths of columns": ("NAME   STATUS", "NAME       STATUS"),
}
OTHER = [
    ("scorer 0/1 Running 0 4s", "scorer 1/1 Running 0 4s"),
    ("38MiB / 128MiB", "38MiB / 64MiB"),
    ("127.0.0.1:8080->8000/tcp", "127.0.0.1:8081->8000/tcp"),
    ("Exited (0) 3 seconds ago", "Exited (137) 3 seconds ago"),
    ("uid=10001", "uid=0"),
    ("revision 2", "revision 4"),
    ("--timeout=5s", "--timeout=9s"),
    ("defaced", "decaffeinated"),
]


def test_each_rule_has_a_case() -> None:
    assert set(SAME) == {rule.what for rule in RULES}


@pytest.mark.parametrize("what", SAME)
def test_what_a_rule_names_is_not_compared(what: str) -> None:
    one, other = SAME[what]
    assert compared(one) == compared(other)
    (rule,) = (rule for rule in RULES if rule.what == what)
    assert rule.pattern.sub(rule.becomes, one) != one


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_all_else_is_compared(one: str, other: str) -> None:
    made = [Recording("01/01", "2026-11-29", {"x": "1"}, (Cell("x", ({"text": text},)),)) for text in (one, other)]
    assert difference(*made)
    assert not difference(made[0], made[0])


BUILD = """#1 [internal] load build context
#1 transferring context: 3.61MB 0.0s done
#1 DONE 0.1s

#2 [builder 1/3] FROM docker.io/library/python:3.11-slim
#2 DONE 0.0s

#3 [stage-1 2/3] COPY model.json ./
#3 {kept}
"""
SAME_BUILD = """#1 [stage-1 1/2] FROM docker.io/library/python:3.11-slim
#1 CACHED

#2 [internal] load build context
#2 DONE 3.1s

#3 [stage-1 2/3] COPY model.json ./
#3 CACHED
"""


def test_the_steps_of_a_build_and_pods_come_in_any_order() -> None:
    """But not with other fates."""
    assert compared(BUILD.format(kept="CACHED")) == compared(SAME_BUILD)
    assert compared(BUILD.format(kept="DONE 0.1s")) != compared(SAME_BUILD)
    pods = [
        f"scorer-6d5f7c9b8-{name}   1/1   Running   {restarts}   4s" for name, restarts in (("x2x4q", 0), ("b2b4c", 1))
    ]
    assert compared("\n".join(pods)) == compared("\n".join(reversed(pods)))
    assert compared(pods[0]) != compared(pods[1])
