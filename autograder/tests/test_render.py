"""Students' files are made under limits, and all that reads a student's text takes time in proportion to its length."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from autograder.examiner.told import CUT, LONGEST_NAME, LONGEST_TEXT, MOST_OUTPUTS, SPENT, frame, read_told
from autograder.lab import source
from autograder.model import (  # fmt: skip
    ANSWER,
    EXTRA,
    MANUAL,
    NOTHING,
    TEST,
    TEXT,
    ByHand,
    Cell,
    CellRun,
    Key,
    Mark,
    Output,
    Result,
    Submission,
)
from autograder.outputs import feedback, graded, pictures, similarity, tables
from autograder.outputs.render import NOT_SHOWN, Renderer, render
from autograder.submissions import intake, reading
from base.text import one_line, safe_text
from kernels.channel import TooLargeError, pair

KEY = Key(
    "01-mini",
    (
        Cell(TEXT, "markdown", "# Mini\n\n## Exercise 1: one"),
        Cell(ANSWER, "code", "def one():\n    return 1", "ex1"),
        Cell(TEST, "code", "assert one() == 1\nassert one() != 2, 'no'", "ex1-test", 2.0, "assert one() == 1"),
        Cell(MANUAL, "markdown", "Round.", "essay", 3.0),
    ),
    {"ex1": "def one():\n    ...", "essay": "Write."},
    {},
)
MARKS = (Mark("ex1-test", "ex1", 2.0, 0.0, "no"), Mark("essay", "essay", 3.0, None))


def result(text: str, student: str = "ada") -> Result:
    """A submission that has `text` wherever a student can have one."""
    cells = (
        CellRun(ANSWER, "code", text, "ex1", (Output("stdout", text), Output("error", text), Output("html", text))),
        CellRun(TEST, "code", "assert one() == 1", "ex1-test", (Output("error", text),)),
        CellRun(MANUAL, "markdown", text, "essay"),
        CellRun(EXTRA, "markdown", text),
    )
    return Result(student, KEY.lab, "digest", KEY.digest, "", MARKS, cells)


def handed_in(text: str) -> Submission:
    marks = {"nbgrader": {"grade_id": "ex1", "solution": True}}
    cells = [{"cell_type": "code", "metadata": marks, "source": text}]
    cells += [{"cell_type": kind, "metadata": {}, "source": text} for kind in ("code", "markdown")]
    return Submission("ada", json.dumps({"cells": cells}).encode())


READERS: dict[str, Callable[[str], Any]] = {
    "safe_text": safe_text,
    "one line": lambda text: one_line(text, 300),
    "pictures": lambda text: list(pictures.pieces(text)),
    "table": lambda text: pictures.safe_table(f"<style>{text}</style><td {text}>{text}"),
    "markdown for formgrader": lambda text: graded._written(CellRun(MANUAL, "markdown", text)),
    "graded notebook": lambda text: graded.autograded_notebook(result(text), KEY),
    "page": lambda text: feedback.feedback_page(result(text), KEY),
    "lines of hidden tests": lambda text: feedback._without(frozenset({"assert one() != 2, 'no'", "else:"}), text),
    "syntax tree": lambda text: similarity.nodes(text),
    "class report": lambda text: tables.small(result(text), KEY),
    "names": source.names_in,
    "globals": source.globals_in,
    "bound": source.bound_in,
    "intake": lambda text: intake.prepare(KEY, handed_in(text)),
    "stored outputs": lambda text: reading._without_outputs(json.dumps(text).encode()),
}
"""What reads a student's text in the grader's own processes."""
UNITS = [
    *"\\`*_[]()#!<&%?\"'= \n\r\x1b,;a0é\u202e",
    *("\x9b0", "\x1b]", "\\\n", " \n", "\n%", "<a", "![", "](", "a=", "&#", '"="', "<!--", "<style", "a}", "\n#"),
    *("+_", "data:image/png;base64,A", '<img src="', "```", "_a", ": ", "\n- "),
]
SIZES = 1_250, 10_000  # characters
ROOM = 25.0
"""Eight times the text takes eight times as long, and 64 times where the time grows with the square."""
NOTICEABLE = 0.03  # seconds: what is quicker cannot be told from noise


def seconds(reader: Callable[[str], Any], text: str) -> float:
    begun = time.process_time()
    reader(text)
    return time.process_time() - begun


def too_slow(reader: Callable[[str], Any], units: list[str]) -> list[tuple[str, float, float]]:
    """Return the units of which eight times as many take more than `ROOM` times as long, each tried thrice."""
    found = []
    for unit in units:
        short, long = (unit * (size // len(unit)) for size in SIZES)
        for fresh in "xyz":  # what is remembered does not count
            first, second = (seconds(reader, f"{text}\n{fresh}") for text in (short, long))
            if second < NOTICEABLE or second < ROOM * first:
                break
        else:
            found.append((unit, first, second))
    return found


@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_the_length_of_a_students_text(name: str) -> None:
    """denial-by-rendering: backslashes and blank lines took the square of their number."""
    assert too_slow(READERS[name], UNITS) == []


@pytest.mark.parametrize(
    ("pattern", "unit"), [(r"(?m)^\s*[%!?].*$", "\n"), (r"\\+(?=(?:href|class)\b)", "\\"), (r"<!--.*?-->", "<!--")]
)
def test_a_pattern_whose_time_grows_with_the_square_is_seen(pattern: str, unit: str) -> None:
    """The two patterns that were there, and one that a cleaner of HTML is tempted by."""
    assert too_slow(lambda text: re.sub(pattern, "", text, flags=re.DOTALL), [unit])


# What a kernel tells.


def told(outputs: list[Any], **more: Any) -> bytes:
    return json.dumps({"ok": False, "outputs": outputs, **more}).encode()


def test_what_a_kernel_tells_is_cut_where_it_is_received() -> None:
    """denial-by-rendering: a student's kernel told of 2.4 million outputs, or of one of 250 MB."""
    many = read_told(told([{"kind": "stdout", "text": "."}] * 50_000), 100_000, 10**9)["outputs"]
    assert (len(many), many[-1]) == (MOST_OUTPUTS + 1, CUT)
    long = read_told(told([{"kind": "stdout", "text": "x" * 500_000}]), 100_000, 10**9)["outputs"]
    assert [len(one.text) < 101_000 for one in long] == [True, True]
    picture = [{"kind": "png", "text": "A" * 3_000_000}]
    assert [one.kind for one in read_told(told(picture * 2), 100_000, 10**9)["outputs"]] == ["png", "stderr"]
    assert read_told(told([{"kind": "stdout", "text": "x" * 100}]), 100_000, 99)["outputs"] == (SPENT,)
    fault = read_told(told([], ename="E" * 9_999, evalue="v" * 99_999, line="l" * 99_999), 100_000, 0)
    assert [len(fault[name]) for name in ("ename", "evalue", "line")] == [LONGEST_NAME, LONGEST_TEXT, LONGEST_TEXT]


@pytest.mark.parametrize(
    "output", [{"kind": "script", "text": ""}, {"kind": "png", "text": 3}, {"text": "x"}, "x", None]
)
def test_an_output_that_is_none_is_nonsense(output: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        read_told(told([output]), 100_000, 10**9)


def test_a_frame_that_tells_of_a_cell_has_a_bound_of_its_own() -> None:
    channel, theirs = pair(10_000_000, {"d": 1_000})
    sender = type(channel)(theirs)
    with channel.connection, theirs:
        sender.send("a", b"x" * 2_000)
        assert channel.receive()[0] == "a"
        sender.send("d", b"x" * 1_001)
        with pytest.raises(TooLargeError):
            channel.receive()


def test_all_that_a_cell_may_show_fits_into_a_frame() -> None:
    for kind, text in (("stdout", "\U0001f600" * 100_000), ("png", "A" * 4_000_000), ("result", "\x01" * 100_000)):
        assert len(told([{"kind": kind, "text": text}], evalue="\U0001f600" * LONGEST_TEXT)) < frame(100_000)


# The process that makes the files.


def test_the_process_makes_what_the_function_makes() -> None:
    hand = ByHand({"essay": 2.5}, {"essay": "Nicely put."}, 1.0)
    with Renderer(KEY) as files:
        assert files(result("text")) == render(KEY, result("text"))
        assert files(result("text"), hand) == render(KEY, result("text"), hand)


@pytest.mark.parametrize("limits", [{"seconds": 0.2}, {"memory_mb": 300}])
def test_a_submission_that_takes_too_much_has_a_page_without_its_cells(limits: dict[str, Any]) -> None:
    with Renderer(KEY, **limits) as files:
        notebook, page = files(result("é" * 4_000_000))
        assert NOT_SHOWN in page
        assert "0 of 2" in page, "the marks are there"
        assert NOT_SHOWN in notebook
        assert len(page) + len(notebook) < 100_000
        files.seconds = 60.0
        assert files(result("text", "bob")) == render(KEY, result("text", "bob")), "the next one has the whole page"


def test_a_fault_of_ours_costs_one_student() -> None:
    spoilt = result("text")
    with Renderer(KEY) as files:
        with pytest.raises(RuntimeError, match="Traceback"):
            files(Result(**{**vars(spoilt), "marks": (Mark("ex1-test", "ex1", "two", 0.0),)}))  # type: ignore[arg-type]
        assert files(spoilt) == render(KEY, spoilt, NOTHING)
