"""The glossary: in order, each term with a lesson that is there, and linked from every lesson."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from authoring.build import build
from authoring.glossary import PAGE, SOURCE, GlossaryError, glossary_page, lessons_of, load_glossary
from authoring.repository import ROOT
from authoring.syllabus import Syllabus, load_syllabus
from base.errors import BuildError
from tests.mini_course import NOTEBOOK, write
from tests.repository import files
from tests.test_links import anchors, links, markdown_of

ENTRIES = [
    {"term": "AUC", "lesson": "01/01", "text": "The share of pairs in the right order."},
    {"term": "label delay", "lesson": "01/02", "text": "The time until an outcome is known."},
    {"term": "train/serve skew", "lesson": "01/01", "text": "One feature, computed in two ways."},
]


def glossary_parts(root: Path, name: Path) -> list[str]:
    """Return the `#part` of each link to the glossary on a page or in a notebook; empty where it names the page."""
    found = []
    for link in links(markdown_of(root / name)):
        url = urlsplit(link)
        target = root / name.parent / unquote(url.path)
        if not url.scheme and url.path and target.resolve() == (root / PAGE).resolve():
            found.append(url.fragment)
    return found


def broken_parts(root: Path, names: list[Path]) -> list[str]:
    """Return each link to a term that the glossary does not hold."""
    there = anchors(markdown_of(root / PAGE))
    return [
        f"{name.as_posix()}: #{part}"
        for name in names
        if name.suffix in (".md", ".ipynb")
        for part in glossary_parts(root, name)
        if part and part not in there
    ]


def lessons_without_a_term(root: Path, syllabus: Syllabus) -> list[str]:
    """Return each written lesson that links no term of the glossary."""
    ready = [chapter.notebook(lesson) for chapter, lesson in lessons_of(syllabus).values() if lesson.status == "ready"]
    return [name for name in ready if not any(glossary_parts(root, Path(name)))]


def plant(root: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    """Write the small glossary with a defect into a mini course."""
    entries = [dict(entry) for entry in ENTRIES]
    change(entries)
    write(root, SOURCE, yaml.safe_dump(entries))


def add_prose(root: Path, text: str) -> None:
    """Add a cell of prose to the notebook of the mini course."""
    notebook = json.loads((root / NOTEBOOK).read_text(encoding="utf-8"))
    notebook["cells"].append({"cell_type": "markdown", "source": text})
    (root / NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")


def test_the_glossary_of_the_course() -> None:
    """Sound, of a useful size, and with at least one term for every lesson of the syllabus."""
    syllabus = load_syllabus()
    entries = load_glossary(syllabus)
    assert 80 <= len(entries) <= 250
    assert set(lessons_of(syllabus)) - {entry.lesson for entry in entries} == set()


def test_an_anchor_is_the_one_that_the_page_has() -> None:
    """What links are checked against is what a reader's browser will find."""
    syllabus = load_syllabus()
    entries = load_glossary(syllabus)
    there = anchors(glossary_page(entries, syllabus))
    letters = {entry.term[0].lower() for entry in entries}
    assert there == {entry.anchor for entry in entries} | letters | {"glossary"}


def test_every_link_to_a_term_leads_to_it() -> None:
    """From READMEs, lessons and labs."""
    assert broken_parts(ROOT, files()) == []


def test_every_written_lesson_links_the_glossary() -> None:
    """At least one term; the last line of `Go further` is the place."""
    assert lessons_without_a_term(ROOT, load_syllabus()) == []


def test_the_page_is_made_by_the_build(root: Path) -> None:
    """A written lesson is linked, a planned one named; a page edited by hand is found."""
    plant(root, lambda entries: None)
    assert f"{PAGE}: missing" in build(check=True, root=root)
    assert PAGE in build(root=root)
    page = (root / PAGE).read_text(encoding="utf-8")
    assert f"### AUC\n\nThe share of pairs in the right order. *[01/01 First]({NOTEBOOK})*\n" in page
    assert "*01/02 Second (not written yet)*" in page
    assert "[A](#a) · [L](#l) · [T](#t)" in page
    write(root, PAGE, page + "by hand\n")
    assert f"{PAGE}: differs from what is generated" in build(check=True, root=root)


def test_a_link_to_no_term_is_found(root: Path) -> None:
    """In a notebook and on a page; a link to the page alone is no broken one."""
    plant(root, lambda entries: None)
    build(root=root)
    to_page = "../../../GLOSSARY.md"
    add_prose(root, f"[good]({to_page}#label-delay) [skew]({to_page}#trainserve-skew) [page]({to_page})")
    write(root, "page.md", "[good](GLOSSARY.md#auc) [elsewhere](https://example.org/GLOSSARY.md#gone)")
    names = [Path(NOTEBOOK), Path("page.md")]
    assert broken_parts(root, names) == []
    add_prose(root, f"[gone]({to_page}#lable-delay)")
    write(root, "page.md", "<a href='GLOSSARY.md#gone'>gone</a>")
    assert broken_parts(root, names) == [f"{NOTEBOOK}: #lable-delay", "page.md: #gone"]


def test_a_lesson_that_never_links_it_is_found(root: Path) -> None:
    """A link to the page, or to a page of that name elsewhere, is not yet a term."""
    syllabus = load_syllabus(root)
    plant(root, lambda entries: None)
    build(root=root)
    assert lessons_without_a_term(root, syllabus) == [NOTEBOOK]
    add_prose(root, "[page](../../../GLOSSARY.md) [other](GLOSSARY.md#auc) `[code](../../../GLOSSARY.md#auc)`")
    assert lessons_without_a_term(root, syllabus) == [NOTEBOOK]
    add_prose(root, "[AUC](../../../GLOSSARY.md#auc)")
    assert lessons_without_a_term(root, syllabus) == []


@pytest.mark.parametrize(("change", "says"), [
    (lambda entries: entries[0].update(lesson="01/07"), "AUC: there is no lesson 01/07"),
    (lambda entries: entries[0].update(lesson="1/1"), "AUC: lesson"),
    (lambda entries: entries.reverse(), "stands after"),
    (lambda entries: entries.insert(1, dict(entries[0])), "AUC: its anchor #auc is that of AUC"),
    (lambda entries: entries.insert(1, entries[0] | {"term": "auc"}), "auc: its anchor #auc is that of AUC"),
    (lambda entries: entries.insert(2, entries[1] | {"term": "label-delay"}), "anchor #label-delay"),
    (lambda entries: entries.insert(0, entries[0] | {"term": "A"}), "A: its anchor #a is that of the heading A"),
    (lambda entries: entries[1].update(text="Too short."), "label delay: text"),
    (lambda entries: entries[1].update(text="A sentence that goes on without an end"), "label delay: text"),
    (lambda entries: entries[1].update(text="A sentence too many. " * 12), "label delay: text"),
    (lambda entries: entries[1].update(see="AUC"), "label delay: see"),
    (lambda entries: entries[1].pop("lesson"), "label delay: lesson"),
    (lambda entries: entries[1].update(term=" label delay"), "label delay: term"),
])  # fmt: skip
def test_a_glossary_that_cannot_be_right_is_refused(
    root: Path, change: Callable[[list[dict[str, Any]]], object], says: str
) -> None:
    """By the loader, and by the build that writes nothing then."""
    plant(root, change)
    with pytest.raises(GlossaryError, match=says):
        load_glossary(load_syllabus(root), root)
    with pytest.raises(BuildError, match=says):
        build(root=root)
    assert not (root / PAGE).exists()


def test_a_missing_or_broken_file_is_refused(root: Path) -> None:
    """With the path, so that one knows where to look."""
    for text, says in ((None, "is missing"), ("- term: [", "not valid YAML"), ("just words", "list")):
        if text is not None:
            write(root, SOURCE, text)
        with pytest.raises(GlossaryError, match=says):
            load_glossary(load_syllabus(root), root)
