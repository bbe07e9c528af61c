"""A student's page: what it tells, what it never tells, and that nothing in it runs."""

import base64
import html.parser
import io
import itertools
import os
import re
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from autograder.model import ANSWER, EXTRA, LOCKED, MANUAL, TEST, TEXT, Cell, CellRun, Key, Mark, Output, Result
from autograder.outputs.feedback import (
    NOT_SHOWN,
    exercise_headings,
    exercise_title,
    feedback_page,
    hidden_lines,
    points,
)
from autograder.outputs.pictures import safe_picture
from base.text import safe_text, shorten

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
VISIBLE = 'assert area(0) == 0, "area(0): a point has no area"'
SECRET = "assert abs(area(3) - 28.274333882308138) < 1e-9"
HIDDEN = f"""### BEGIN HIDDEN TESTS
for radius in (3, 4):
    reference = math.pi * radius**2
    {SECRET}, "area(3) is nine times area(1)"
### END HIDDEN TESTS"""
ATTACK = "</pre></code><script>alert(1)</script><img src=x onerror=alert(2)>\"'><svg onload=alert(3)>"

KEY = Key(
    "01-mini",
    (
        Cell(
            TEXT,
            "markdown",
            "# 01 Mini\n\nRead **this** <b>text</b>.\n\n<details><summary>Hint</summary>\n\nAh.\n\n</details>",
        ),
        Cell(LOCKED, "code", "import math", "setup"),
        Cell(ANSWER, "code", "def area(radius):\n    return math.pi * radius**2  # the reference", "ex1"),
        Cell(TEST, "code", f"{VISIBLE}\n{HIDDEN}", "ex1-test", 2.0, VISIBLE),
        Cell(ANSWER, "code", "def half(x):\n    return x / 2", "ex2"),
        Cell(TEST, "code", "assert half(2) == 1\nassert half(4) == 2", "ex2-test", 3.0, ""),
        Cell(MANUAL, "markdown", "Round.", "essay", 4.0),
    ),
    {"ex1": "def area(radius):\n    ...", "ex2": "def half(x):\n    ...", "essay": "?"},
    {},
)
MARKS = (
    Mark("ex1-test", "ex1", 2.0, 0.0, "area(3) is nine times area(1)"),
    Mark("ex2-test", "ex2", 3.0, 3.0, "", ("ex1",)),
    Mark("essay", "essay", 4.0, None),
)


def runs(
    outputs: tuple[Output, ...] = (), answer: str = "def area(radius):\n    return radius", test: Any = None
) -> Any:
    return (
        CellRun(TEXT, "markdown", KEY.cells[0].source),
        CellRun(LOCKED, "code", "import math", "setup"),
        CellRun(ANSWER, "code", answer, "ex1", outputs),
        CellRun(TEST, "code", VISIBLE, "ex1-test", test or ()),
        CellRun(ANSWER, "code", "def half(x):\n    return x / 2", "ex2"),
        CellRun(TEST, "code", "", "ex2-test", (Output("stdout", "fine"),)),
        CellRun(MANUAL, "markdown", "It is **round**.", "essay"),
        CellRun(EXTRA, "code", "1 + 1", "", (Output("result", "2"),)),
    )


def result(cells: Any = None, **more: Any) -> Result:
    told = {"student": "doe-jane", "lab": KEY.lab, "submission": "d", "key": KEY.digest, "timestamp": "2025-03-01"}
    return Result(**{**told, "marks": MARKS, "cells": runs() if cells is None else cells, **more})


class _Page(html.parser.HTMLParser):
    """Collects a page's tags and attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def harmless(page: str) -> _Page:
    """Check that nothing in a page can run or load."""
    parsed = _Page(page)
    for tag, attributes in parsed.tags:
        assert tag not in ("script", "iframe", "object", "embed", "svg", "link", "base", "form"), tag
        assert not [name for name in attributes if name.startswith("on")], attributes
        source = attributes.get("src")
        assert source is None or source.startswith("data:image/png;base64,"), source
        assert not (attributes.get("href") or "").lower().lstrip().startswith(("javascript", "data", "vbscript"))
    policy = next(attributes for tag, attributes in parsed.tags if "http-equiv" in attributes)
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return parsed


def test_the_page_tells_total_exercises_reasons_and_rescue() -> None:
    page = _Page(feedback_page(result(notes=("A locked cell was edited.",)), KEY))
    text = " ".join(page.text.split())
    assert "3 of 9 points" in text
    assert "4 of them are marked by a human" in text
    assert "Exercise 1 0 of 2 ✗ no points yet area(3) is nine times area(1)" in text
    assert "Exercise 2 3 of 3 ✓ full points Passed with the reference answer of exercise 1 put in" in text
    assert "essay - of 4 … waits for a human" in text
    assert "A locked cell was edited." in text
    assert "It is **round**." in text
    assert ("details", {}) in page.tags, "the instructor's hint folds"
    assert "<b>text</b>" in page.text
    assert "the reference" not in text.replace("the reference answer", "")


def test_the_page_names_the_version_of_the_course_where_it_has_one() -> None:
    assert "course version 2026.2" in feedback_page(result(), replace(KEY, version="2026.2"))
    assert "version" not in _Page(feedback_page(result(), KEY)).text


@pytest.mark.parametrize(
    "leak",
    [
        f"---- AssertionError\n----> 4     \x1b[31m{SECRET}\x1b[0m, …\nAssertionError: area(3) is nine times area(1)",
        f"in <module>\n{HIDDEN}\nAssertionError: area(3) is nine times area(1)",
        KEY.cells[3].source,
        "\n".join(f"{number}: {line}" for number, line in enumerate(HIDDEN.splitlines())),
    ],
)
def test_a_hidden_test_is_never_shown(leak: str) -> None:
    """Wherever a grader's fault would put it: the test's source, its outputs, a reason."""
    cells = list(runs(test=(Output("error", leak), Output("stdout", leak))))
    cells[3] = CellRun(TEST, "code", KEY.cells[3].source, "ex1-test", cells[3].outputs)
    marks = (Mark("ex1-test", "ex1", 2.0, 0.0, leak), *MARKS[1:])
    page = _Page(feedback_page(result(tuple(cells), marks=marks), KEY))
    shown = {line.strip() for line in page.text.splitlines()}
    hidden = hidden_lines(KEY.cells[3])
    assert len(hidden) == 5
    for line in hidden:
        assert line not in page.text, line
    assert SECRET not in page.text
    assert NOT_SHOWN in shown
    assert VISIBLE in page.text.replace("\n", "")
    assert "half(4)" not in page.text, "a test that was not handed out at all"
    if "AssertionError" in leak:
        assert "AssertionError: area(3) is nine times area(1)" in page.text, "its message is a hint"


def test_a_students_own_line_that_a_hidden_test_has_too_is_shown() -> None:
    own = "for radius in (3, 4):\n    print(radius)"
    assert "for radius in (3, 4):" in _Page(feedback_page(result(runs(answer=own)), KEY)).text


@pytest.mark.parametrize(
    "place", ["answer", "stdout", "stderr", "result", "error", "png", "reason", "note", "fault", "student"]
)
def test_nothing_that_a_student_wrote_runs(place: str) -> None:
    outputs = (Output(place, ATTACK),) if place in ("stdout", "stderr", "result", "error", "png") else ()
    marks = (Mark("ex1-test", "ex1", 2.0, 0.0, ATTACK),) if place == "reason" else MARKS
    more: dict[str, Any] = {"note": {"notes": (ATTACK,)}}.get(place, {})
    if place in ("fault", "student"):
        more = {place: ATTACK}
    cells = runs(outputs, ATTACK if place == "answer" else "x = 1")
    cells = (*cells, CellRun(EXTRA, "markdown", ATTACK), CellRun(EXTRA, "raw", ATTACK))
    page = harmless(feedback_page(result(cells, marks=marks, **more), KEY))
    assert ATTACK in page.text


def test_the_instructors_text_cannot_bring_in_a_script_either() -> None:
    text = f"{ATTACK}\n\n[x](javascript:alert(1))\n\n![y](https://example.org/y.png)\n\n<details onclick=alert(1)>"
    harmless(feedback_page(result((CellRun(TEXT, "markdown", text),)), KEY))


def test_terminal_tricks_and_hidden_characters_are_neutralised() -> None:
    evil = (
        "a\x1b[31mred\x1b[0m\x1b]8;;https://evil\x07link\x1b]8;;\x07\x9b2J\x00\x08\u202eback\u2066\ud800\u200bx\rover"
    )
    page = feedback_page(result(runs((Output("stdout", evil),), evil)), KEY)
    assert re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]", page) is None
    page.encode("utf-8")
    assert safe_text(evil) == "aredlink\\u202eback\\u2066\\ud800\\u200bx\nover"
    assert safe_text("\x1b[") == ""
    assert safe_text("\x1bP1;payload\x1b\\shown") == "shown"
    assert safe_text("naïve 日本語 👩‍🔬 עברית\tx") == "naïve 日本語 👩‍🔬 עברית\tx"


def _png(width: int = 2, height: int = 2, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("1", (width, height)).save(stream, form)
    return stream.getvalue()


def test_only_a_png_is_a_picture() -> None:
    good = base64.b64encode(_png()).decode()
    page = feedback_page(result(runs((Output("png", good),))), KEY)
    assert f'src="data:image/png;base64,{good}"' in page
    assert safe_picture("png", good[:20] + "\n" + good[20:]) == good
    bad = {
        "cut short": _png()[:40],
        "another format": _png(form="GIF"),
        "HTML": b"<script>alert(1)</script>",
        "huge": _png(30_000, 30_000),
        "large": _png(5_000, 5_000),
        "nothing": b"",
    }
    for what, content in bad.items():
        assert safe_picture("png", base64.b64encode(content).decode()) is None, what
    assert safe_picture("png", "not base64!") is None
    assert safe_picture("png", "\u202e") is None


def test_a_flood_is_cut() -> None:
    page = feedback_page(result(runs((Output("stdout", "x" * 100_000),))), KEY)
    assert len(page) < 60_000
    assert "and 80,000 characters more" in page
    assert shorten("abc", 2) == "ab\n… and 1 characters more"


def test_a_broken_submission_says_why() -> None:
    page = _Page(feedback_page(result((), fault="This file is not JSON.", marks=()), KEY))
    text = " ".join(page.text.split())
    assert "Your notebook could not be graded.This file is not JSON." in text
    assert "0 of 0 points" in text


def test_the_same_result_gives_the_same_bytes_quickly() -> None:
    first = feedback_page(result(), KEY)
    start = time.perf_counter()
    for _ in range(50):
        assert feedback_page(result(), KEY) == first
    each = (time.perf_counter() - start) / 50 * 1000
    assert each < 50, f"{each:.1f} ms a page"


def test_how_points_and_exercises_are_written() -> None:
    assert [points(number) for number in (2.0, 2.5, 1 / 3, 0.0, 10.0, 100.0)] == ["2", "2.5", "0.33", "0", "10", "100"]
    assert [exercise_title(name) for name in ("ex2", "ex12", "exercise-3", "squares")] == [
        "Exercise 2",
        "Exercise 12",
        "Exercise 3",
        "squares",
    ]


def test_an_exercise_is_called_by_the_title_above_its_answer() -> None:
    cells = (
        Cell(TEXT, "markdown", "# Lab\n\nText.\n\n## Exercise 1: what was `known` then"),
        Cell(ANSWER, "code", "1", "ex1"),
        Cell(ANSWER, "code", "1", "ex2"),
        Cell(TEXT, "markdown", "## In words"),
        Cell(MANUAL, "markdown", "## Never shown", "essay", 1.0),
    )
    titles = exercise_headings(Key("01-mini", cells, {"essay": "Write."}, {}))
    assert titles == {"ex1": "Exercise 1: what was known then", "ex2": "Exercise 2", "essay": "In words"}


def test_the_page_is_accessible() -> None:
    page = _Page(feedback_page(result(notes=("One.",)), KEY))
    tags = [tag for tag, _ in page.tags]
    assert ("html", {"lang": "en"}) in page.tags
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), levels
    assert [attributes.get("scope") for tag, attributes in page.tags if tag == "th"].count(None) == 0
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(attributes.get("alt") for tag, attributes in page.tags if tag == "img")


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_colours_have_contrast() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1, in the light and in the dark."""
    css = (Path(__file__).parents[1] / "outputs" / "templates" / "page.css").read_text()
    schemes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", found)) for found in re.findall(r":root \{([^}]*)\}", css)[:2]
    ]
    pairs = [(ink, paper) for ink in ("ink", "soft", "accent") for paper in ("paper", "card", "code")]
    pairs += [(ink, "code") for ink in ("kw", "str", "num", "fn", "cmt")]
    pairs += [("good", "good-bg"), ("part", "part-bg"), ("bad", "bad-bg"), ("accent", "wait-bg"), ("soft", "bad-bg")]
    for scheme in schemes:
        for ink, paper in pairs:
            bright, dark = sorted((_luminance(scheme[ink]), _luminance(scheme[paper])), reverse=True)
            assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ink, paper, scheme[ink], scheme[paper])


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no chromium here (on Debian: apt install chromium)"
)
def test_in_a_browser_nothing_runs_and_nothing_is_asked_for(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    outputs = (Output("stdout", ATTACK + "x" * 500), Output("png", base64.b64encode(_png(20, 20)).decode()))
    path = tmp_path / "feedback.html"
    path.write_text(feedback_page(result(runs(outputs, ATTACK), notes=(ATTACK,)), KEY), encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        page = browser.new_page(viewport={"width": 400, "height": 800})
        seen: list[str] = []
        page.on("dialog", lambda dialog: seen.append(dialog.message))
        page.on("request", lambda request: seen.append(request.url))
        page.on("console", lambda message: seen.append(message.text))
        page.goto(path.as_uri())
        assert page.locator("img").evaluate("image => image.naturalWidth") == 20
        assert page.evaluate("document.documentElement.scrollWidth") <= 400, "it scrolls sideways on a telephone"
        wide = "elements => elements.filter(one => one.scrollWidth > one.clientWidth).length"
        assert page.locator("pre, .wide").evaluate_all(wide) == 0, "long lines are wrapped"
        browser.close()
    assert [one for one in seen if not one.startswith(("file:", "data:image/png"))] == []
