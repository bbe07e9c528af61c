"""The transplant: whatever was done to the notebook, tests stay the instructor's and answers the student's."""

import copy
import dataclasses
import json
import random
import tracemalloc
from pathlib import Path

import nbformat
import nbgrader
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authoring.build import build
from authoring.repository import ROOT
from autograder.lab.key import key_from_source, load_key
from autograder.model import ANSWER, EXTRA, LOCKED, MANUAL, TEST, Submission
from autograder.submissions import reading
from autograder.submissions.intake import prepare
from autograder.submissions.reading import MOST_NOTES
from course.paths import labs
from tests.mini_course import LAB, RELEASE, make_course

AREA = "def area(radius):\n    return 3.14159 * radius * radius"
LONGEST = "def longest(words):\n    return sorted(words, key=len)[-1]"
GUIDE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = make_course(tmp_path_factory.mktemp("intake"))
    build(root=root)
    return root


@pytest.fixture(scope="module")
def key(built):
    return load_key(LAB, built)


@pytest.fixture(scope="module")
def release(built):
    return json.loads((built / RELEASE).read_text(encoding="utf-8"))


@pytest.fixture
def solved(release):
    notebook = copy.deepcopy(release)
    cell(notebook, "ex1")["source"] = AREA
    cell(notebook, "ex2")["source"] = LONGEST
    return notebook


def cell(notebook, name):
    return next(one for one in notebook["cells"] if one["id"] == name)


def code(source, **more):
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}


def submit(key, notebook):
    content = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    return prepare(key, Submission("ann", content))


def answers(prepared):
    return {one.grade_id: one.source for one in prepared.cells if one.kind in (ANSWER, MANUAL)}


def extras(prepared):
    return [one.source for one in prepared.cells if one.kind == EXTRA]


def require_instructors(key, prepared):
    """Every test, every locked cell and all points are the key's, in its order."""
    named = [one for one in key.cells if one.grade_id]
    got = [one for one in prepared.cells if one.grade_id]
    assert [dataclasses.replace(one, source="") for one in got] == [
        dataclasses.replace(one, source="") for one in named
    ]
    for mine, theirs in zip(got, named, strict=True):
        assert mine.grade_id in key.stubs or mine.source == theirs.source


def test_an_honest_submission_goes_through_as_it_is(key, solved):
    prepared = submit(key, solved)
    assert prepared.notes == ()
    assert prepared.fault == ""
    assert prepared.blank == ()
    require_instructors(key, prepared)
    assert answers(prepared) == {"ex1": AREA, "ex2": LONGEST}
    assert len(prepared.cells) == len(key.cells)


def test_the_untouched_release_is_blank(key, release):
    prepared = submit(key, release)
    assert prepared.blank == ("ex1", "ex2")
    assert prepared.notes == ()


@pytest.mark.parametrize("lab", labs(ROOT))
def test_release_and_solution_of_every_lab(lab):
    key = load_key(lab, ROOT)
    release = submit(key, (ROOT / "labs" / lab / f"{lab}.ipynb").read_bytes())
    assert release.blank == tuple(key.stubs)
    assert release.notes == ()
    solution = submit(key, (ROOT / "solutions" / lab / f"{lab}.ipynb").read_bytes())
    assert solution.blank == ()
    assert solution.notes == ()
    assert solution.cells == key.cells


@pytest.mark.parametrize("lab", labs(ROOT))
def test_without_any_metadata_or_id_every_answer_is_found(lab):
    key = load_key(lab, ROOT)
    notebook = json.loads((ROOT / "solutions" / lab / f"{lab}.ipynb").read_text(encoding="utf-8"))
    for one in notebook["cells"]:
        one["metadata"] = {}
        del one["id"]
    prepared = submit(key, notebook)
    assert prepared.blank == ()
    assert prepared.cells == key.cells
    assert prepared.notes == (
        "The notebook had lost nbgrader's marks on its cells: your answers were found by name and place.",
    )


@pytest.mark.parametrize("student", ["bitdiddle", "hacker"])
def test_real_submissions_of_nbgraders_guide(student):
    for name in ("problem1", "problem2"):
        source = nbformat.read(GUIDE / "source" / "ps1" / f"{name}.ipynb", as_version=4)
        source.cells = nbformat.read(GUIDE / "source" / "header.ipynb", as_version=4).cells + source.cells
        key = key_from_source(source, lab=name)
        content = (GUIDE / "submitted" / student / "ps1" / f"{name}.ipynb").read_bytes()
        prepared = submit(key, content)
        require_instructors(key, prepared)
        assert prepared.fault == ""
        assert not [note for note in prepared.notes if "missing" in note]
        handed_in = {
            one.metadata.nbgrader.grade_id: one.source
            for one in nbformat.reads(content.decode(), as_version=4).cells
            if one.metadata.get("nbgrader", {}).get("solution")
        }
        assert answers(prepared).items() >= handed_in.items()
        bare = json.loads(content)
        for one in bare["cells"]:
            one["metadata"] = {}
        assert answers(submit(key, bare)) == answers(prepared), "without metadata the same answers are found"


# --- what is done to the instructor's cells ---


def drop(notebook, name):
    notebook["cells"].remove(cell(notebook, name))


def test_an_edited_test(key, solved):
    cell(solved, "ex1-test")["source"] = "pass"
    prepared = submit(key, solved)
    require_instructors(key, prepared)
    assert prepared.notes == (
        "The test of exercise 1 had been edited: graded with the original; what you changed there does not count.",
    )


def test_a_deleted_test_and_a_deleted_locked_cell(key, solved):
    drop(solved, "ex2-test-ties")
    drop(solved, "setup")
    prepared = submit(key, solved)
    require_instructors(key, prepared)
    assert prepared.notes == (
        'The cell "setup" was missing: graded with the original.',
        'The test "ties" of exercise 2 was missing: graded with the original.',
    )


def test_a_test_as_markdown(key, solved):
    cell(solved, "ex1-test")["cell_type"] = "markdown"
    prepared = submit(key, solved)
    require_instructors(key, prepared)
    assert "another type of cell" in prepared.notes[0]


def test_points_and_flags(key, solved):
    cell(solved, "ex1-test")["metadata"]["nbgrader"]["points"] = 100
    cell(solved, "ex2-test")["metadata"]["nbgrader"]["grade"] = False
    cell(solved, "ex2")["metadata"]["nbgrader"]["solution"] = False
    prepared = submit(key, solved)
    require_instructors(key, prepared)
    assert (
        len([note for note in prepared.notes if note.endswith("had other points or marks: the original ones count.")])
        == 3
    )
    assert answers(prepared) == {"ex1": AREA, "ex2": LONGEST}


def test_cells_in_another_order(key, solved):
    solved["cells"].reverse()
    prepared = submit(key, solved)
    require_instructors(key, prepared)
    assert answers(prepared) == {"ex1": AREA, "ex2": LONGEST}
    assert prepared.notes == ("Cells stood in another order: graded in the order in which they were handed out.",)


def test_a_locked_cell_twice(key, solved):
    solved["cells"].append(copy.deepcopy(cell(solved, "setup")))
    prepared = submit(key, solved)
    assert sum(one.source == "import math" for one in prepared.cells) == 1
    assert "was there 2 times: graded with the original, once." in prepared.notes[0]


def test_test_and_answer_with_swapped_names(key, solved):
    one, other = cell(solved, "ex1"), cell(solved, "ex1-test")
    one["metadata"], other["metadata"] = other["metadata"], one["metadata"]
    one["id"], other["id"] = other["id"], one["id"]
    prepared = submit(key, solved)
    require_instructors(key, prepared)
    assert answers(prepared)["ex1"] == AREA


def test_an_extra_copy_of_a_test_is_left_out(key, solved):
    solved["cells"].append(code(cell(solved, "ex2-test")["source"]))
    prepared = submit(key, solved)
    assert extras(prepared) == []
    assert prepared.notes == ("Copies of tests were left out: each test runs once, as the original.",)


def test_ids_that_repeat(key, solved):
    for one in solved["cells"]:
        one["id"] = "same"
    assert answers(submit(key, solved)) == {"ex1": AREA, "ex2": LONGEST}


def test_plain_cells_of_the_instructor():
    """An edited one is the student's, one that is missing or untouched the instructor's."""
    lab = "03-drift-detective"
    key = load_key(lab, ROOT)
    text = (ROOT / "labs" / lab / f"{lab}.ipynb").read_text(encoding="utf-8")
    [plain] = [one for one in key.cells if one.kind == LOCKED and not one.grade_id]
    notebook = json.loads(text)
    [shown] = [one for one in notebook["cells"] if one["cell_type"] == "code" and not one["metadata"]]
    shown["source"] = "# look\n" + plain.source
    prepared = submit(key, notebook)
    assert extras(prepared) == ["# look\n" + plain.source]
    assert plain not in prepared.cells
    notebook["cells"].remove(shown)
    assert submit(key, notebook).cells == submit(key, text.encode()).cells


def test_names_in_the_header_of_nbgraders_quickstart_are_the_students():
    source = nbformat.read(GUIDE / "source" / "header.ipynb", as_version=4)
    key = key_from_source(source, lab="header")
    notebook = json.loads(nbformat.writes(source))
    next(one for one in notebook["cells"] if one["cell_type"] == "code")["source"] = (
        'NAME = "Ann"\nCOLLABORATORS = "Bo"'
    )
    prepared = submit(key, notebook)
    assert [one.source for one in prepared.cells if one.runs] == ['NAME = "Ann"\nCOLLABORATORS = "Bo"']


# --- what happens to answers ---


def test_an_answer_twice_the_last_filled_one_counts(key, solved, release):
    first, stub = copy.deepcopy(cell(solved, "ex1")), copy.deepcopy(cell(release, "ex1"))
    first["source"] = "def area(radius):\n    return None"
    solved["cells"].insert(0, first)
    solved["cells"].append(stub)
    prepared = submit(key, solved)
    assert answers(prepared)["ex1"] == AREA
    assert extras(prepared) == [first["source"]], "it runs first, as it would for the student; the stub does not run"
    assert prepared.cells.index(next(one for one in prepared.cells if one.kind == EXTRA)) == 0
    assert "there 3 times: the last one that was filled in counts." in prepared.notes[0]


def test_an_answer_as_markdown(key, solved):
    cell(solved, "ex1")["cell_type"] = "markdown"
    prepared = submit(key, solved)
    assert next(one for one in prepared.cells if one.grade_id == "ex1").cell_type == "code"
    assert answers(prepared)["ex1"] == AREA
    assert "carried over as code" in prepared.notes[0]


def test_a_missing_answer_is_blank_and_gets_the_stub(key, solved):
    drop(solved, "ex2")
    prepared = submit(key, solved)
    assert prepared.blank == ("ex2",)
    assert answers(prepared)["ex2"] == key.stubs["ex2"]
    assert prepared.notes == ("The answer of exercise 2 was missing: taken as not answered.",)


def test_merged_answers(key, solved):
    """The stub of the second must not undo what stands in the first."""
    cell(solved, "ex1")["source"] += "\n\n" + LONGEST
    drop(solved, "ex2")
    prepared = submit(key, solved)
    assert prepared.blank == ()
    assert answers(prepared)["ex2"] == ""
    assert "what it asks for is in another cell" in prepared.notes[0]


def test_an_answer_in_a_new_cell_under_its_stub_is_not_blank(key, release):
    notebook = copy.deepcopy(release)
    notebook["cells"].insert(notebook["cells"].index(cell(notebook, "ex1")) + 1, code(AREA))
    prepared = submit(key, notebook)
    assert prepared.blank == ("ex2",)
    place = [one.source for one in prepared.cells].index(AREA)
    assert prepared.cells[place - 1].grade_id == "ex1"
    assert prepared.cells[place + 1].grade_id == "ex1-test"


def test_a_change_of_indentation_is_an_answer(release):
    """Blank is said of trailing spaces and blank lines only: the space in front is Python."""
    notebook = nbformat.reads(json.dumps(release), as_version=4)
    notebook.cells[3].source = "def area(radius):\n    ### BEGIN SOLUTION\n    return 2\n    ### END SOLUTION"
    key = key_from_source(notebook, lab=LAB, stub="if radius:\n    x = 1\n    return 2")
    handed_in = copy.deepcopy(release)
    cell(handed_in, "ex1")["source"] = key.stubs["ex1"].replace("        return", "    return")
    assert "ex1" not in submit(key, handed_in).blank
    cell(handed_in, "ex1")["source"] = key.stubs["ex1"].replace("\n", "  \n\n") + "\n"
    assert "ex1" in submit(key, handed_in).blank


def test_extra_cells_stay_where_they_were(key, solved):
    spots = {"top": 0, "before ex1": 3, "after ex2": 6, "end": len(solved["cells"])}
    for shift, (name, place) in enumerate(spots.items()):
        solved["cells"].insert(place + shift, code(f"print({name!r})"))
    solved["cells"].append(code("  \n"))
    prepared = submit(key, solved)
    order = [one.grade_id or one.source for one in prepared.cells]
    assert order[0] == "print('top')"
    assert order[-1] == "print('end')"
    assert order.index("print('before ex1')") == order.index("ex1") - 1
    assert order.index("print('after ex2')") == order.index("ex2") + 1
    assert prepared.notes == ()


def test_a_renamed_answer_of_a_lost_notebook_is_found_by_its_place():
    source = nbformat.v4.new_notebook()
    for number in (1, 2, 3):
        source.cells += [nbformat.v4.new_markdown_cell(f"## Question {number}"), nbformat.v4.new_code_cell(f"{number}")]
        marks = {"grade": False, "solution": True, "locked": False, "grade_id": f"q{number}", "schema_version": 3}
        source.cells[-1].metadata.nbgrader = {**marks, "task": False}
    key = key_from_source(source, lab="lab")
    texts = [one for n in (1, 2, 3) for one in (f"## Question {n}", f"x = {n * n}")]
    cells = [{"cell_type": "markdown" if t[0] == "#" else "code", "source": t, "metadata": {}} for t in texts]
    prepared = submit(key, {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    assert answers(prepared) == {"q1": "x = 1", "q2": "x = 4", "q3": "x = 9"}
    del cells[3]
    prepared = submit(key, {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    assert prepared.blank == ("q2",)
    assert answers(prepared)["q3"] == "x = 9"


# --- files of every kind ---


def test_format_3(key, solved):
    cells = [
        {**one, "input": one["source"]} if one["cell_type"] == "code" else one for one in copy.deepcopy(solved["cells"])
    ]
    for one in cells:
        one.pop("source") if "input" in one else None
    old = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}, {}]}
    assert answers(submit(key, old)) == {"ex1": AREA, "ex2": LONGEST}


@pytest.mark.parametrize("metadata", [None, {}, {"kernelspec": {"name": "no-such", "language": "cobol"}}, [1], "x"])
@pytest.mark.parametrize("minor", [None, -1, 99, "5", 2**70])
def test_kernels_and_versions_do_not_matter(key, solved, metadata, minor):
    solved.update(metadata=metadata, nbformat_minor=minor)
    assert submit(key, solved).notes == ()


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-32"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\\n", "\\r\\n").encode(),
    ],
)
def test_encodings(key, solved, encode):
    cell(solved, "ex1")["source"] = AREA + "  # Ω 😀"
    prepared = submit(key, encode(json.dumps(solved, indent=1, ensure_ascii=False)))
    assert answers(prepared)["ex1"] == AREA + "  # Ω 😀"
    assert prepared.notes == ()


def test_windows_text(key, solved):
    cell(solved, "ex1")["source"] = AREA + "  # é"
    prepared = submit(key, json.dumps(solved, ensure_ascii=False).encode("cp1252"))
    assert answers(prepared)["ex1"] == AREA + "  # é"
    assert "not in UTF-8" in prepared.notes[0]


def test_nul_and_surrogates(key, solved):
    cell(solved, "ex1")["source"] = AREA.replace("area", "ar\0ea") + "  # \ud800 \udfff"
    prepared = submit(key, solved)
    assert answers(prepared)["ex1"] == AREA + "  # \ufffd \ufffd"
    compile(answers(prepared)["ex1"].encode("utf-8"), "ex1", "exec")
    assert "characters that no program can" in prepared.notes[0]


@pytest.mark.parametrize("source", [7, None, {"a": 1}, ["x", 3], [["x"]]])
def test_sources_of_a_wrong_type(key, solved, source):
    cell(solved, "ex1")["source"] = source
    prepared = submit(key, solved)
    assert prepared.blank == ("ex1",)
    assert prepared.notes[0] == "Cell 4 holds no text: left out."


def test_sources_as_lists_of_lines(key, solved):
    cell(solved, "ex1")["source"] = AREA.splitlines(keepends=True)
    assert answers(submit(key, solved))["ex1"] == AREA


def test_cells_that_are_none(key, solved):
    solved["cells"] += [
        None,
        1,
        "x",
        [],
        {},
        {"cell_type": 3, "source": "y", "metadata": {"nbgrader": {"grade_id": []}}},
    ]
    prepared = submit(key, solved)
    assert answers(prepared) == {"ex1": AREA, "ex2": LONGEST}
    assert extras(prepared) == ["y"]


def test_a_notebook_without_cells(key):
    prepared = submit(key, {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    assert prepared.blank == ("ex1", "ex2")
    require_instructors(key, prepared)
    assert prepared.notes[0] == "The notebook has no cells."


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"\xef\xbb\xbf  \n", "The file is empty"),
        (b'{\n "cells": [\n  {]}', "not a notebook: line 3 column 4: Expecting property name"),
        (b"<!DOCTYPE html><html>", "line 1 column 1: Expecting value. It looks like a web page"),
        (b"PK\x03\x04....", "zip archive"),
        (b"[]", "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b'{"worksheets": 3}', "no list of cells"),
        (b"3", "no list of cells"),
        (b"NaN", "no list of cells"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"cells":' * 1000, "nested deeper"),
        (b'{"cells": [{"cell_type": "code", "outputs": [{"text": ["a",', "ends in the middle of an output"),
        (b'{"cells": "', "not a notebook: line 1 column 11"),
        (b'"' + b'\\"' * 1_000_000 + b"\\", "not a notebook"),
        (b"\x00\x01\x02\x03", "not a notebook"),
        (b"\xff\xfe\x00\xd8", "not a notebook"),
        (b'{"cells": [' + b"0," * 1_000_001 + b"0]}", "more than 1000000 values"),
        (b'{"cells": [' + b"{}," * 1001 + b"{}]}", "more than 1000 cells"),
    ],
)
def test_files_that_are_no_notebook(key, content, says):
    prepared = submit(key, content)
    assert prepared.cells == ()
    assert says in prepared.fault
    assert "Hand in" in prepared.fault


def test_faults_are_placed_in_the_file_as_it_was_handed_in(key, solved):
    cell(solved, "setup")["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["x\n"] * 50}]
    text = json.dumps(solved, indent=1)
    broken = text.replace('"id": "ex2"', '"id" "ex2"')
    with pytest.raises(json.JSONDecodeError) as error:
        json.loads(broken)
    assert (
        f"line {error.value.lineno} column {error.value.colno}: {error.value.msg}" in submit(key, broken.encode()).fault
    )


def test_numbers_that_are_too_much_and_keys_twice(key, solved):
    text = json.dumps(solved)
    text = text.replace(
        '"nbformat": 4', '"nbformat": ' + "9" * 5000 + ', "a": NaN, "a": -Infinity, "b": 1e999, "nbformat": 4'
    )
    assert submit(key, text.encode()).notes == ()


def test_a_fault_of_collecting_is_handed_on(key):
    prepared = prepare(key, Submission("ann", b"", fault="It is a link."))
    assert prepared.fault == "It is a link."
    assert prepared.cells == ()


def test_a_file_that_is_too_large(key, monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 3_000_000)
    assert "larger than 3 MB" in submit(key, b" " * 3_000_001).fault


def test_stored_outputs_of_50_mb_are_never_in_memory_as_objects(key, solved):
    text = '\\"é' + "x" * 70 + "\n"
    cell(solved, "ex1")["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [text] * 300_000}]
    cell(solved, "ex2")["outputs"] = [{"output_type": "display_data", "data": {"image/png": "A" * 25_000_000}}]
    cell(solved, "ex2")["source"] += '\n# "outputs": [{'
    content = json.dumps(solved, ensure_ascii=False).encode()
    assert len(content) > 45_000_000
    slim, _ = reading._without_outputs(content)
    assert len(slim) < 20_000
    tracemalloc.start()
    prepared = submit(key, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000, "bytes beside the file itself"
    assert answers(prepared) == {"ex1": AREA, "ex2": LONGEST + '\n# "outputs": [{'}
    assert prepared.notes == ()


def test_a_cell_that_is_too_long(key, solved):
    cell(solved, "ex1")["source"] = "x" * 1_000_001
    prepared = submit(key, solved)
    assert prepared.blank == ("ex1",)
    assert "longer than 1000000 characters" in prepared.notes[0]


def test_notes_are_capped(key, solved):
    solved["cells"] += [{"source": 1}] * 100
    notes = submit(key, solved).notes
    assert len(notes) == MOST_NOTES + 1
    assert notes[-1] == "And 80 more of that kind."


# --- properties ---

CELLS = st.sampled_from(["setup", "ex1", "ex1-test", "ex2", "ex2-test", "ex2-test-ties"])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["source", "cell_type", "metadata", "id", "outputs", "nbgrader"])


def lost_metadata(one):
    one["metadata"] = {}


def lost_id(one):
    one.pop("id", None)


@st.composite
def edits(draw):
    """A change of a notebook, and the answers that it leaves alone."""
    target, kind = (
        draw(CELLS),
        draw(st.sampled_from(["junk", "drop", "copy", "type", "move", "extra", "points", "edit"])),
    )
    place, junk, name = draw(st.integers(0, 12)), draw(JUNK), draw(FIELDS)

    def change(notebook):
        cells = notebook["cells"]
        one = next((c for c in cells if c.get("id") == target), None)
        if kind == "extra":
            cells.insert(place, code(f"extra_{place} = {place}"))
            return set()
        if one is None:
            return set()
        if kind == "junk":
            if name == "nbgrader" and isinstance(one.get("metadata"), dict):
                one["metadata"]["nbgrader"] = junk
            else:
                one[name] = junk
        elif kind == "drop":
            cells.remove(one)
        elif kind == "copy":
            cells.insert(place, copy.deepcopy(one))
        elif kind == "type":
            one["cell_type"] = "markdown"
        elif kind == "move":
            cells.remove(one)
            cells.insert(place, one)
        elif kind == "points" and isinstance(one.get("metadata"), dict):
            one["metadata"]["nbgrader"] = {**(one["metadata"].get("nbgrader") or {}), "points": 50, "grade": True}
        elif kind == "edit" and target.endswith(("test", "ties", "setup")):
            one["source"] = "raise SystemExit"
        return {target} if kind == "drop" or (kind == "junk" and name in ("source", "cell_type")) else set()

    return change


@settings(max_examples=300, deadline=None)
@given(changes=st.lists(edits(), max_size=6))
def test_no_edit_reaches_a_test_and_no_untouched_answer_is_lost(key, release, changes):
    notebook = copy.deepcopy(release)
    cell(notebook, "ex1")["source"] = AREA
    cell(notebook, "ex2")["source"] = LONGEST
    touched = set()
    for change in changes:
        touched |= change(notebook)
    prepared = submit(key, notebook)
    assert prepared.fault == ""
    require_instructors(key, prepared)
    for name, text in (("ex1", AREA), ("ex2", LONGEST)):
        if name not in touched:
            assert answers(prepared)[name] == text
            assert name not in prepared.blank
    assert prepared == submit(key, notebook)


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=200) | JUNK.map(lambda junk: json.dumps({"cells": junk}).encode()))
def test_no_bytes_make_it_fail(key, content):
    prepared = submit(key, content)
    assert prepared.fault or len(prepared.cells) >= len(key.cells)


def test_damaged_bytes_of_a_real_lab_do_not_make_it_fail():
    lab = "02-training-pipeline"
    key, whole = load_key(lab, ROOT), (ROOT / "solutions" / lab / f"{lab}.ipynb").read_bytes()
    rng = random.Random(0)
    for _ in range(200):
        start = rng.randrange(len(whole))
        damaged = whole[:start] + rng.randbytes(rng.randrange(4)) + whole[start + rng.randrange(40) :]
        prepared = submit(key, damaged)
        assert prepared.fault or {one.grade_id for one in prepared.cells} >= {one.grade_id for one in key.tests}
        if not prepared.fault:
            require_instructors(key, prepared)
            assert all(one in prepared.cells for one in key.cells if one.kind == TEST)
