"""What a human has to mark can be seen, in formgrader and on the page, and nothing of it runs or loads.

public/21-pictures-for-the-marker: attachments, data URIs, plots that are no PNG, styled tables and interactive figures
were taken out.
"""

import base64
import io
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import nbconvert
import nbformat as untyped_nbformat
import pytest
from PIL import Image

from autograder.examiner.shell import _best
from autograder.model import ANSWER, EXTRA, MANUAL, Cell, CellRun, Key, Output, Result, Submission
from autograder.outputs.feedback import feedback_page
from autograder.outputs.graded import autograded_notebook
from autograder.outputs.pictures import pieces, safe_picture, safe_table
from autograder.submissions.intake import prepare

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
nbformat: Any = untyped_nbformat
HTMLExporter: Any = nbconvert.HTMLExporter
STUB = "Draw it, and say what you see."
KEY = Key(
    "01-mini",
    (Cell(ANSWER, "code", "1", "ex1"), Cell(MANUAL, "markdown", "A circle.", "essay", 3.0)),
    {"ex1": "...", "essay": STUB},
    {},
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><circle r="9" fill="red"/></svg>'
LIVE = SVG.replace("<circle", '<script>alert(2)</script><circle onload="alert(1)"')
STYLED = """<style type="text/css">
#T_ab_row0_col0, #T_ab_row1_col0 { background-color: #ffcccc; color: #000000; behavior: url(x); }
@import "https://example.org/x.css";
</style>
<table id="T_ab"><thead><tr><th>rate</th></tr></thead><tbody>
<tr><td id="T_ab_row0_col0" class="data" onclick="alert(1)">0.25 &lt; 1</td></tr>
<tr><td style="background-image: url(https://example.org/x.png); font-weight: bold">0.5</td></tr></tbody></table>"""


def picture(form: str) -> str:
    stream = io.BytesIO()
    Image.new("P", (20, 20)).convert("RGB").save(stream, form)
    return base64.b64encode(stream.getvalue()).decode()


def encoded(svg: str) -> str:
    return base64.b64encode(svg.encode()).decode()


def shown(text: str = STUB, outputs: tuple[Output, ...] = ()) -> Result:
    cells = (CellRun(ANSWER, "code", "draw()", "ex1", outputs), CellRun(MANUAL, "markdown", text, "essay"))
    return Result("ada", KEY.lab, "digest", KEY.digest, "", (), cells)


def formgrader(result: Result) -> str:
    """Return the notebook as nbconvert shows it, without the page around it."""
    notebook = nbformat.reads(autograded_notebook(result, KEY), as_version=4)
    nbformat.validate(notebook)
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    return str(html)


def views(result: Result) -> tuple[str, str]:
    """Return what formgrader shows, and the student's page."""
    return formgrader(result), feedback_page(result, KEY)


def handed_in(**cell: Any) -> Cell:
    """Return the answer that is graded when a notebook with this cell is handed in."""
    marks = {"nbgrader": {"grade_id": "essay", "grade": True, "solution": True, "locked": False, "points": 3}}
    notebook = {"cells": [{"cell_type": "markdown", "metadata": marks, "source": STUB} | cell]}
    prepared = prepare(KEY, Submission("ada", json.dumps(notebook).encode()))
    assert prepared.fault == ""
    return next(found for found in prepared.cells if found.grade_id == "essay")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF"])
def test_a_picture_attached_to_an_answer_is_seen(form: str) -> None:
    media, data = f"image/{form.lower()}", picture(form)
    answer = handed_in(source="See ![a plot](attachment:p%201.x), red.", attachments={"p 1.x": {media: data}})
    assert answer.source == f"See ![a plot](data:{media};base64,{data}), red."
    for html in views(shown(answer.source)):
        assert f'src="data:{media};base64,{data}"' in html
        assert 'alt="a plot"' in html
        assert "See" in html
        assert "red." in html


def test_an_attachment_that_is_no_picture_is_none() -> None:
    html = encoded("<script>alert(1)</script>")
    for media, data in (("text/html", html), ("image/png", html), ("image/png", picture("GIF")), ("image/png", 7)):
        answer = handed_in(source="![x](attachment:x)", attachments={"x": {media: data}})
        for page in views(shown(answer.source)):
            assert "<img" not in page
            assert "<script>alert" not in page
    many = handed_in(source="![x](attachment:x)" * 9_000, attachments={"x": {"image/png": picture("PNG")}})
    assert many.source.count("data:") == 1, "shown once, however often it is named"


def test_pictures_written_into_the_text_are_seen() -> None:
    data = picture("PNG")
    text = f'![one](data:image/png;base64,{data} "t") <img width="9" src="data:image/png;base64,{data}" /> end'
    assert [type(piece).__name__ for piece in pieces(text)] == ["str", "Picture", "str", "Picture", "str"]
    for html in views(shown(text)):
        assert html.count(f'src="data:image/png;base64,{data}"') == 2
    bare = f"data:image/png;base64,{data}"
    assert list(pieces(bare)) == [bare], "an address alone is text"


@pytest.mark.parametrize(
    ("kind", "text", "media"),
    [
        ("png", picture("PNG"), "image/png"),
        ("jpeg", picture("JPEG"), "image/jpeg"),
        ("gif", picture("GIF"), "image/gif"),
        ("svg", SVG, "image/svg+xml"),
        ("svg", LIVE, "image/svg+xml"),
    ],
)
def test_plots_of_every_form_are_seen_as_pictures(kind: str, text: str, media: str) -> None:
    data = safe_picture(kind, text)
    for html in views(shown(outputs=(Output(kind, text),))):
        assert re.search(rf'<img [^>]*src="data:{re.escape(media)};base64,{re.escape(str(data))}"', html)
        assert "<svg" not in html, "within an img no script of it runs"


def test_what_no_picture_is_is_said() -> None:
    bomb = '<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>'
    for kind, text in (("svg", bomb), ("svg", "no"), ("gif", picture("PNG")), ("jpeg", "%%")):
        assert safe_picture(kind, text) is None
        assert "(a picture that cannot be shown)" in feedback_page(shown(outputs=(Output(kind, text),)), KEY)
        assert "(a picture that cannot be shown)" in formgrader(shown(outputs=(Output(kind, text),)))


def test_a_styled_table_keeps_its_colours_and_nothing_live() -> None:
    table = safe_table(STYLED)
    assert '<td style="background-color: #ffcccc; color: #000000">0.25 &lt; 1</td>' in table
    assert '<td style="font-weight: bold">0.5</td>' in table
    for html in views(shown(outputs=(Output("html", STYLED),))):
        assert table in html
    for live in ("onclick", "url(", "@import", "example.org", "behavior", "<style"):
        assert live not in table


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<td><img src=x onerror=alert(1)>",
        "</table></div><script>alert(1)</script>",
        '<td style="x:expression(alert(1)); color: red;background:url(javascript:alert(1))">',
        "<style>#a{color:red}</style><style><script>alert(1)</script>",
        "<svg onload=alert(1)><math href=javascript:alert(1)>",
        "<t<script>d>alert(1)",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        '<a href="javascript:alert(1)">x</a><iframe src="//x"></iframe><object data=x><base href=//x>',
        '<td colspan="2" rowspan="1&quot; onclick=&quot;alert(1)">',
        "<!--><script>alert(1)</script>-->",
        "<İtable><SCRIPT>alert(1)</SCRIPT>" + "İ" * 50 + "<script>alert(1)</script>",
    ],
)
def test_nothing_in_a_table_is_live(attack: str) -> None:
    found = safe_table(f"<table><tr>{attack}")
    tags = re.findall(r"<[^<>]*>", found)
    assert all(re.fullmatch(r'</?(?:table|tr|td)(?: colspan="2")?(?: style="color: red")?>', tag) for tag in tags), tags
    assert sum(not tag.startswith("</") for tag in tags) == sum(tag.startswith("</") for tag in tags)


def test_links_keep_their_shape_and_pictures_from_elsewhere_load_nothing() -> None:
    text = "[the docs](https://docs.python.org/3/?a=1&b=2#c), ![x](https://example.org/x.png), ![a \\[b](https://e.org/t.png)"
    html = formgrader(shown(text))
    assert '<a href="https://docs.python.org/3/?a=1&amp;b=2#c">the docs</a>' in html
    assert "<img" not in html
    assert "[the docs](https://docs.python.org/3/?a=1&amp;b=2#c)" in feedback_page(shown(text), KEY)


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        ({"image/png": "AA", "text/plain": "<Figure>"}, "png", "AA"),
        ({"image/jpeg": b"\x00", "text/plain": "<x>"}, "jpeg", "AA=="),
        ({"image/svg+xml": SVG, "text/plain": "<Figure>"}, "svg", SVG),
        ({"text/html": "<table>", "text/plain": "<pandas Styler at 0x1>"}, "html", "<table>"),
        ({"text/html": "<table>", "text/plain": "   a\n0  1"}, "result", "   a\n0  1\n"),
        ({"text/html": "<script>plot()</script>", "text/plain": "<Chart>"}, "result", "<Chart>\n"),
        ({"application/vnd.plotly.v1+json": {}, "image/png": "AA"}, "png", "AA"),
    ],
)
def test_the_best_of_what_an_object_shows(data: dict[str, Any], kind: str, text: str) -> None:
    assert _best(data) == (kind, text)


def test_a_figure_that_needs_scripts_is_told_in_a_sentence() -> None:
    kind, text = _best({"application/vnd.plotly.v1+json": {"data": []}, "text/html": "<script>…</script>"})
    assert kind == "result"
    assert "application/vnd.plotly.v1+json" in text
    assert "show a picture of it" in text


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no chromium here (on Debian: apt install chromium)"
)
def test_in_a_browser_all_is_seen_and_nothing_runs(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    outputs = (Output("svg", SVG), Output("svg", LIVE), Output("html", STYLED), Output("png", picture("PNG")))
    text = f"![a](data:image/svg+xml;base64,{encoded(LIVE)}) and ![b](data:image/gif;base64,{picture('GIF')})"
    path = tmp_path / "page.html"
    path.write_text(feedback_page(shown(text, outputs), KEY), encoding="utf-8")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        seen: list[str] = []
        page.on("dialog", lambda dialog: seen.append(dialog.message))
        page.on("request", lambda request: seen.append(request.url))
        page.on("console", lambda message: seen.append(message.text))
        page.goto(path.as_uri())
        widths = page.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
        colour = page.locator("td", has_text="0.25").evaluate("cell => getComputedStyle(cell).backgroundColor")
        browser.close()
    assert widths == [20] * 5
    assert colour == "rgb(255, 204, 204)"
    assert [one for one in seen if not one.startswith(("file:", "data:image/"))] == []


def test_an_extra_cell_of_prose_is_seen_too() -> None:
    cells = (CellRun(EXTRA, "markdown", f"![x](data:image/png;base64,{picture('PNG')})"),)
    html = formgrader(Result("ada", KEY.lab, "digest", KEY.digest, "", (), cells))
    assert "data:image/png" in html
