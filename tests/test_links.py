"""Every relative link of a page or a notebook leads to a file, and every `#part` of one to a heading."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from authoring.repository import ROOT
from tests.repository import files

MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})
HTML_LINK = re.compile(r"<(?:a|img|source)\b[^>]*?\b(?:href|src)=[\"']([^\"']*)", re.IGNORECASE)


def markdown_of(path: Path) -> str:
    """Return the prose of a page, or of all prose cells of a notebook."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = [cell["source"] for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return "\n\n".join(cell if isinstance(cell, str) else "".join(cell) for cell in cells)


def tokens(text: str) -> Iterator[Token]:
    """Yield all tokens of a page, those inside a line too. Code is code: a link shown in it is none."""
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def links(text: str) -> Iterator[str]:
    """Yield the targets of all links and pictures, whether written in markdown or in HTML."""
    for token in tokens(text):
        if token.type in ("link_open", "image"):
            yield str(token.attrGet("href") or token.attrGet("src") or "")
        elif token.type in ("html_block", "html_inline"):
            yield from HTML_LINK.findall(token.content)


def anchors(text: str) -> set[str]:
    """Return the `#part`s of a page as GitHub names them: its headings in small letters, blanks as hyphens."""
    found: set[str] = set()
    stream = list(tokens(text))
    for heading, inline in pairwise(stream):
        if heading.type == "heading_open":
            words = "".join(part.content for part in inline.children or () if part.type in ("text", "code_inline"))
            slug = name = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
            number = 0
            while slug in found:
                number += 1
                slug = f"{name}-{number}"
            found.add(slug)
    return found


def broken_links(root: Path, names: list[Path]) -> list[str]:
    """Return each relative link of the pages and notebooks among `names` that leads nowhere."""
    found = []
    for name in names:
        if name.suffix not in (".md", ".ipynb"):
            continue
        text = markdown_of(root / name)
        for link in links(text):
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = root / name.parent / unquote(url.path) if url.path else root / name
            leads = target.resolve().is_relative_to(root.resolve()) and not url.path.startswith("/") and target.exists()
            # JupyterLab names the headings of a notebook otherwise than GitHub does: only pages are held to a part.
            if leads and url.fragment and target.suffix == ".md":
                leads = url.fragment in anchors(markdown_of(target))
            if not leads:
                found.append(f"{name.as_posix()}: {link}")
    return found


def test_every_relative_link_leads_somewhere() -> None:
    """README, chapters, lessons, labs, book."""
    assert broken_links(ROOT, files()) == []


PLANTED = [
    "[gone](gone.md)",
    "![picture](pictures/gone.png)",
    "[part](there.md#gone)",
    "[part](#gone)",
    "<img src='gone.png' alt='x'>",
    'see <a href="gone.md">this</a>',
    "[outside](../../secret.md)",
    "[root](/there.md)",
    "[by name][x]\n\n[x]: gone.md",
]


@pytest.mark.parametrize("text", PLANTED)
def test_a_broken_link_is_found(tmp_path: Path, text: str) -> None:
    """On a page and in a notebook, however it is written."""
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "there.md").write_text("# There\n", encoding="utf-8")
    (root / "a" / "page.md").write_text(f"# Page\n\n{text}\n", encoding="utf-8")
    cells = [{"cell_type": "markdown", "source": [text]}, {"cell_type": "code", "source": "'[gone](code.md)'"}]
    (root / "a" / "book.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    names = [Path("a/page.md"), *([] if text.startswith("[part](#") else [Path("a/book.ipynb")])]
    assert [problem.partition(":")[0] for problem in broken_links(root, names)] == [name.as_posix() for name in names]


def test_a_good_link_is_not_reported(tmp_path: Path) -> None:
    """To a file, a folder, a part, a name with a blank, a page outside, and in a listing that only shows one."""
    (tmp_path / "with blank.md").write_text("# One `two` three!\n\n## Again\n\n## Again\n", encoding="utf-8")
    page = """# Page
[file](with%20blank.md) [part](with%20blank.md#one-two-three) [second](<with blank.md#again-1>) [here](#page) [up](.)
[outside](https://example.org/gone.md) <mailto:ada@example.org> `[shown](gone.md)`

    [shown](gone.md)
"""
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    assert broken_links(tmp_path, [Path("page.md")]) == []
