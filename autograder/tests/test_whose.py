"""Whose a file is: as platforms lay their exports out, as people do, and as somebody would to be another."""

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.submissions.collect import Found, survey
from autograder.submissions.platforms import SUBMITTERS
from base.errors import UserError

LAB = "05-loans"
Lay = Callable[..., Path]


@pytest.fixture(params=["folder", "zip"])
def lay(request: pytest.FixtureRequest, tmp_path: Path) -> Lay:
    """Lay out files, `LAB` for the lab's name in theirs, in a folder and in a zip."""

    def make(*names: str) -> Path:
        paths = [name.replace("LAB", LAB) for name in names]
        for path in paths if request.param == "folder" else ():
            (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / path).write_text(path, encoding="utf-8")
        if request.param == "zip":
            with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
                for path in paths:
                    archive.writestr(path, path)
        return tmp_path / ("in" if request.param == "folder" else "in.zip")

    return make


def students(found: Found) -> dict[str, str]:
    """Return what each student's submission says: the path of the file that counts, or why there is none."""
    return {one.student: one.read().notebook.decode().replace(LAB, "LAB") or one.read().fault for one in found.sources}


NAMED: dict[str, tuple[list[str], dict[str, str]]] = {
    "course repositories, also with what the course has beside the lab": (
        ["ada/labs/LAB/LAB.ipynb", "ada/solutions/LAB/LAB.ipynb", "ada/README.md", "bo/labs/LAB/LAB.ipynb"],
        {"ada": "ada/labs/LAB/LAB.ipynb", "bo": "bo/labs/LAB/LAB.ipynb"},
    ),
    "course repositories with a learner's own copies, what was kept and what is newer beside them": (
        [
            f"{one}/{place}"
            for one in ("ada", "bo")
            for place in (
                *(
                    "labs/LAB/LAB.ipynb",
                    "labs/06/06.ipynb",
                    "solutions/LAB/LAB.ipynb",
                    "chapters/01/notebooks/01.ipynb",
                ),
                *("work/labs/LAB/LAB.ipynb", "work/labs/LAB/LAB-new.ipynb", "work/labs/06/06.ipynb"),
                *("work/kept/labs/LAB/LAB-1.ipynb", "work/solutions/LAB.ipynb", "work/01-intro/01-first.ipynb"),
            )
        ],
        {one: f"{one}/work/labs/LAB/LAB.ipynb" for one in ("ada", "bo")},
    ),
    "learners' folders, also of one who has reset the lab since": (
        [
            *(
                "ada/work/labs/LAB/LAB.ipynb",
                "ada/work/kept/labs/LAB/LAB-1.ipynb",
                "ada/work/kept/labs/LAB/LAB-2.ipynb",
            ),
            *("bo/labs/LAB/LAB.ipynb", "bo/kept/labs/LAB/LAB-1.ipynb", "bo/START-HERE.md"),
        ],
        {"ada": "ada/work/labs/LAB/LAB.ipynb", "bo": "bo/labs/LAB/LAB.ipynb"},
    ),
    "one course repository": (["ada/labs/LAB/LAB.ipynb", "ada/labs/06/06.ipynb"], {"ada": "ada/labs/LAB/LAB.ipynb"}),
    "GitHub Classroom": (
        ["lab-submissions/lab-ada/notebooks/LAB.ipynb", "lab-submissions/lab-bo/notebooks/LAB.ipynb"],
        {f"lab-{one}": f"lab-submissions/lab-{one}/notebooks/LAB.ipynb" for one in ("ada", "bo")},
    ),
    "GitHub Classroom, the first to push": (
        ["lab-submissions/lab-ada/notebooks/LAB.ipynb", "lab-submissions/lab-ada/README.md"],
        {"lab-ada": "lab-submissions/lab-ada/notebooks/LAB.ipynb"},
    ),
    "Teams": (
        [
            "Student Work/Submitted files/Ada Lovelace/LAB/Version 1/LAB.ipynb",
            "Student Work/Submitted files/Ada Lovelace/LAB/Version 2/LAB.ipynb",
            "Student Work/Submitted files/Bo Müller/LAB/Version 1/LAB.ipynb",
            "Student Work/Working files/Bo Müller/LAB/LAB.ipynb",
        ],
        {
            "Ada Lovelace": "Student Work/Submitted files/Ada Lovelace/LAB/Version 2/LAB.ipynb",
            "Bo Müller": "Student Work/Submitted files/Bo Müller/LAB/Version 1/LAB.ipynb",
        },
    ),
    "Teams, version 10 after 9": (
        [f"Submitted files/Ada/LAB/Version {number}/LAB.ipynb" for number in (9, 10)],
        {"Ada": "Submitted files/Ada/LAB/Version 10/LAB.ipynb"},
    ),
    "Sakai": (
        [
            "LAB/grades.csv",
            "LAB/Lovelace, Ada(alove)/Submission attachment(s)/LAB.ipynb",
            "LAB/Lovelace, Ada(alove)/Feedback Attachment(s)/LAB.ipynb",
            "LAB/Lovelace, Ada(alove)/timestamp.txt",
            "LAB/Roe, Cy(croe)/Roe, Cy(croe)_submissionText.html",
        ],
        {
            "alove": "LAB/Lovelace, Ada(alove)/Submission attachment(s)/LAB.ipynb",
            "croe": f"No notebook was handed in, only this: {LAB}/Roe, Cy(croe)/Roe, Cy(croe)_submissionText.html. "
            "Hand in the one notebook of the lab.",
        },
    ),
    "Brightspace, two attempts": (
        [
            "index.html",
            "1001-2001 - Ada Lovelace - Mar 3, 2026 1005 PM/LAB.ipynb",
            "1001-2001 - Ada Lovelace - Mar 4, 2026 0905 AM/LAB.ipynb",
            "1002-2001 - Bo Müller - Mar 3, 2026 1005 PM/LAB.ipynb",
        ],
        {
            "Ada Lovelace": "1001-2001 - Ada Lovelace - Mar 4, 2026 0905 AM/LAB.ipynb",
            "Bo Müller": "1002-2001 - Bo Müller - Mar 3, 2026 1005 PM/LAB.ipynb",
        },
    ),
    "Brightspace, namesakes, and files without folders": (
        [f"{number}-2001 - Ada Roe - Mar 3, 2026 1005 PM - LAB.ipynb" for number in (1001, 1002)],
        {f"Ada Roe_{one}": f"{one}-2001 - Ada Roe - Mar 3, 2026 1005 PM - LAB.ipynb" for one in (1001, 1002)},
    ),
    "Google Classroom": (
        ["Ada Lovelace - LAB.ipynb", "Chi Nguyễn - LAB (1).ipynb", "Bo - report.pdf"],
        {
            "Ada Lovelace": "Ada Lovelace - LAB.ipynb",
            "Bo": "No notebook was handed in, only this: Bo - report.pdf. Hand in the one notebook of the lab.",
            "Chi Nguyễn": "Chi Nguyễn - LAB (1).ipynb",
        },
    ),
    "Canvas, also late, anonymous and without a file": (
        [
            "lovelaceada_101_9001_LAB.ipynb",
            "mullerbo_LATE_102_9002_LAB-1.ipynb",
            "LATE_anon_103_9003_LAB.ipynb",
            "roecy_104_text.html",
        ],
        {
            "lovelaceada_101": "lovelaceada_101_9001_LAB.ipynb",
            "mullerbo_102": "mullerbo_LATE_102_9002_LAB-1.ipynb",
            "anon_103": "LATE_anon_103_9003_LAB.ipynb",
            "roecy_104": "No notebook was handed in, only this: roecy_104_text.html. "
            "Hand in the one notebook of the lab.",
        },
    ),
    "numbers that only look like Canvas'": (
        ["week_3_2_ada.ipynb", "week_3_2_bo.ipynb"],
        {"week_3_2_ada": "week_3_2_ada.ipynb", "week_3_2_bo": "week_3_2_bo.ipynb"},
    ),
    "Moodle, also in groups": (
        ["Ada_101_assignsubmission_file/LAB.ipynb", "Group A-Dan Doe_104_assignsubmission_file/LAB.ipynb"],
        {
            "Ada_101": "Ada_101_assignsubmission_file/LAB.ipynb",
            "Dan Doe_104": "Group A-Dan Doe_104_assignsubmission_file/LAB.ipynb",
        },
    ),
    "OpenOLAT": (
        ["1_love_ada/2_submissions/LAB.ipynb", "1_love_ada/3_corrections/LAB.ipynb", "2_mu_bo/2_submissions/LAB.ipynb"],
        {"1_love_ada": "1_love_ada/2_submissions/LAB.ipynb", "2_mu_bo": "2_mu_bo/2_submissions/LAB.ipynb"},
    ),
    "ILIAS, handed in twice": (
        [f"Lab/Abgaben/Love_Ada_al_7/2026030{day}120000_LAB.ipynb" for day in (1, 2)],
        {"Love_Ada_al_7": "Lab/Abgaben/Love_Ada_al_7/20260302120000_LAB.ipynb"},
    ),
    "sections": (
        ["A/ann/LAB.ipynb", "A/bo/LAB.ipynb", "B/cy/LAB.ipynb"],
        {"ann": "A/ann/LAB.ipynb", "bo": "A/bo/LAB.ipynb", "cy": "B/cy/LAB.ipynb"},
    ),
    "one folder a lab": (
        ["LAB/ann/mine.ipynb", "LAB/bo/mine.ipynb", "06-other/ann/mine.ipynb"],
        {"ann": "LAB/ann/mine.ipynb", "bo": "LAB/bo/mine.ipynb"},
    ),
    "one student of many has two": (
        ["ann/LAB.ipynb", "bo/LAB.ipynb", "cy/a/LAB.ipynb", "cy/b/LAB.ipynb"],
        {
            "ann": "ann/LAB.ipynb",
            "bo": "bo/LAB.ipynb",
            "cy": f"More than one notebook was handed in: cy/a/{LAB}.ipynb, cy/b/{LAB}.ipynb. "
            "Hand in the one notebook of the lab.",
        },
    ),
}


@pytest.mark.parametrize("layout", NAMED)
def test_names_are_read_where_a_platform_or_people_put_them(lay: Lay, layout: str) -> None:
    """lms-collapsed-cohorts, public/17-a-class-becomes-one; Brightspace's attempts and Teams' versions of public/."""
    files, wanted = NAMED[layout]
    assert students(survey(lay(*files), LAB, copies="work/labs")) == wanted


NAMELESS = {
    "numbered copies": (["LAB.ipynb", "LAB (1).ipynb", "LAB (2).ipynb"], "called like the lab"),
    "one alone": (["LAB.ipynb"], "called like the lab"),
    "one among names": (["ann.ipynb", "LAB.ipynb"], "called like the lab"),
    "other ways to number": (["LAB-1.ipynb", "LAB_2.ipynb"], "called like the lab"),
    "copies in words": (["Copy of LAB.ipynb", "Kopie von LAB.ipynb", "LAB - Copy.ipynb"], "called like the lab"),
    "two of one name": (["ann.ipynb", "ann (1).ipynb", "bo.ipynb"], r"numbered copies of one file: ann \(1\).ipynb"),
    "Jupyter's numbers": (["Untitled.ipynb", "Untitled1.ipynb"], "numbered copies"),
    "two of Google Classroom": (["Ada - LAB.ipynb", "Ada - LAB (1).ipynb"], "numbered copies"),
    "a folder of labs": (["labs/LAB/LAB.ipynb"], "no name of a student"),
    "folders of work": (["labs/LAB.ipynb", "notebooks/LAB.ipynb"], "no name of a student"),
    "Sakai without names": (["Submission attachment(s)/LAB.ipynb"], "no name of a student"),
    "Teams without names": (["Version 1/LAB.ipynb", "Version 2/LAB.ipynb"], "no name of a student"),
    "Gradescope without its table": (
        ["x/submission_11/LAB.ipynb", "x/submission_12/LAB.ipynb"],
        "no name of a student",
    ),
    "one name in two sections": (["A/ann/LAB.ipynb", "A/bo/LAB.ipynb", "B/ann/LAB.ipynb"], "several people's"),
    "many in a folder beside others": (["ann.ipynb", "late/bo.ipynb", "late/cy.ipynb"], "several people's"),
    "the release beside the students": (["in/ann/LAB.ipynb", "in/bo/LAB.ipynb", "in/LAB/LAB.ipynb"], "beside it"),
    "Blackboard's user names with an underscore": (
        [f"lab_{one}_roe_attempt_2026-01-30-20-30-10_LAB.ipynb" for one in ("ann", "bo")],
        "lab_ann, lab_bo",
    ),
}


@pytest.mark.parametrize("layout", NAMELESS)
def test_where_a_name_cannot_be_known_it_stops_and_names_the_files(lay: Lay, layout: str) -> None:
    """lms-collapsed-cohorts, public/17-a-class-becomes-one."""
    files, says = NAMELESS[layout]
    with pytest.raises(UserError, match=says) as stopped:
        survey(lay(*files), LAB, copies="work/labs")
    assert "name" in str(stopped.value)


def test_gradescopes_table_says_whose_its_folders_are(lay: Lay) -> None:
    root = lay(
        "x_export/submission_11/LAB.ipynb", "x_export/submission_12/LAB.ipynb", "x_export/submission_metadata.yml"
    )
    table = """submission_11:
  :submitters:
  - {":name": Ada, ":sid": a17, ":email": ada@x.org}
  :created_at: 2026-03-01 10:00:00.000000000 Z
submission_12:
  :submitters:
  - {":name": Bo, ":sid": null, ":email": bo@x.org}
  - {":name": Cy, ":sid": "", ":email": cy@x.org}
"""
    if root.is_dir():
        (root / "x_export" / SUBMITTERS).write_text(table, encoding="utf-8")
        one, two = (f"x_export/submission_{number}/LAB.ipynb" for number in (11, 12))
        assert students(survey(root, LAB)) == {"a17": one, "bo@x.org": two, "cy@x.org": two}
        (root / "x_export" / SUBMITTERS).write_text("a: [", encoding="utf-8")
        with pytest.raises(UserError, match="cannot be read, and it says whose the submissions are"):
            survey(root, LAB)
    else:  # a table of nobody
        with pytest.raises(UserError, match="no name of a student"):
            survey(root, LAB)


def test_what_is_no_notebook_is_a_student_with_a_reason(lay: Lay) -> None:
    """public/16-students-who-vanish."""
    names = ["ada.ipynb.txt", "bo.ipynb.json", "chi.ipynb", "dan.IPYNB", "eve.html", "finn.py", "gil.json"]
    names += ["hal.pdf", "ivy.tar.gz", "jo.7z", "J. Doe"]
    got = survey(lay(*names, "README.md", "data/loans.csv"), LAB)
    readable = {one for one, text in students(got).items() if not text.startswith("No notebook was handed in")}
    assert readable == {"chi", "dan"}
    assert set(students(got)) == {"ada", "bo", *readable, "eve", "finn", "gil", "hal", "ivy", "jo", "J. Doe"}
    assert [path for path, _ in got.left] == ["README.md", "data"]
    assert got.files == 11


def test_folders_without_a_notebook_are_students_with_a_reason(lay: Lay) -> None:
    """public/16-students-who-vanish: in their own folders, also where only what is never shown is in there."""
    names = [
        "ada/LAB.ipynb",
        "bo/LAB.7z",
        "cy/LAB.tar.gz",
        "dee/report.pdf",
        "eve/.ipynb_checkpoints/LAB-checkpoint.ipynb",
    ]
    got = students(survey(lay(*names, "fay/LAB-checkpoint.ipynb", "gus/__MACOSX/._LAB.ipynb"), LAB))
    assert [one for one, text in got.items() if text.startswith("No notebook was handed in")] == [
        "bo", "cy", "dee", "eve", "gus"
    ]  # fmt: skip
    assert got["fay"] == "fay/LAB-checkpoint.ipynb", "the copy that Jupyter keeps is better than nothing"


def test_who_has_nothing_for_the_lab_is_left_out_aloud(lay: Lay) -> None:
    got = survey(lay("ann/LAB/LAB.ipynb", "cy/06-other/06-other.ipynb", "dee/LAB.ipynb", "eve/report.pdf"), LAB)
    assert list(students(got)) == ["ann", "dee", "eve"]
    assert got.left == (("cy", f"holds nothing for {LAB}"),)


def test_a_folder_that_may_not_be_entered_is_one_students_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """public/15-one-locked-folder; planted in `scandir`, since the tests may run as a user who enters everything."""
    for name in ("ann", "bo", "cy"):
        (tmp_path / name / LAB).mkdir(parents=True)
        (tmp_path / name / LAB / f"{LAB}.ipynb").write_text(f"{name}/LAB", encoding="utf-8")
    scan = os.scandir

    def scandir(folder: bytes) -> object:
        where = folder.split(b"/")
        if where[-1] == b"bo" or where[-2:] == [b"cy", LAB.encode()] or closed:
            raise PermissionError(13, "Permission denied")
        return scan(folder)

    closed = False
    monkeypatch.setattr(os, "scandir", scandir)
    got = students(survey(tmp_path, LAB))
    assert got["ann"] == "ann/LAB"
    assert got["bo"] == got["cy"] == "What was handed in could not be opened (Permission denied): hand it in again."
    closed = True
    with pytest.raises(UserError, match="may not be read: make it readable"):
        survey(tmp_path, LAB)


def test_what_lies_too_deep_is_said(tmp_path: Path) -> None:
    deep = tmp_path / "ann" / "/".join("abcdefghijkl")
    deep.mkdir(parents=True)
    (deep / f"{LAB}.ipynb").touch()
    (tmp_path / "bo.ipynb").touch()
    assert "more than 10 folders deep" in students(survey(tmp_path, LAB))["ann"]


FORGED = {
    "a file of Moodle called as Moodle would": (
        "Mallory_77_assignsubmission_file_Vera_31_assignsubmission_file_LAB.ipynb",
        "Vera_31_assignsubmission_file_LAB.ipynb",
        {"Mallory_77", "Vera_31"},
    ),
    "the same in nbgrader's tree": (
        "mallory/LAB/Vera_31_assignsubmission_file_.ipynb",
        "vera/LAB/LAB.ipynb",
        {"mallory", "vera"},
    ),
    "as Canvas would, in a folder": ("mallory/vera_456_5_LAB.ipynb", "vera/LAB.ipynb", {"mallory", "vera"}),
    "as Blackboard would": (
        "lab_mallory_attempt_2026-01-30-20-30-10_lab_vera_attempt_2026-01-30-20-30-10_LAB.ipynb",
        "lab_vera_attempt_2026-01-30-20-30-10_LAB.ipynb",
        {"mallory", "vera"},
    ),
    "another's folder in one's own": ("mallory/vera/LAB/LAB.ipynb", "vera/LAB/LAB.ipynb", {"mallory", "vera"}),
    "a display name that Canvas makes into numbers": (
        "vera_456_7_x_901_5555_LAB.ipynb",
        "vera_456_777_LAB.ipynb",
        {f"vera_456_7_x_901_5555_{LAB}", "vera_456"},
    ),
    "a display name that ends in a number": (
        "vera_456_901_5555_LAB.ipynb",
        "vera_456_777_LAB.ipynb",
        {f"vera_456_901_5555_{LAB}", "vera_456"},
    ),
}


@pytest.mark.parametrize("how", FORGED)
def test_nobody_hands_in_for_another(lay: Lay, how: str) -> None:
    """marks-number-in-a-display-name: what a student calls a file or is called says nothing of whose it is."""
    mallorys, veras, names = FORGED[how]
    got = students(survey(lay(mallorys, veras), LAB))
    assert set(got) == names
    assert veras in got.values()
    assert mallorys in got.values()


def test_a_newer_attempt_without_a_notebook_is_told(lay: Lay) -> None:
    names = ["Ada/LAB/Version 1/LAB.ipynb", "Ada/LAB/Version 2/LAB.pdf", "Bo/LAB/Version 1/LAB.ipynb"]
    [ada, _] = survey(lay(*(f"Submitted files/{name}" for name in names)), LAB).sources
    assert ada.place == f"Submitted files/Ada/{LAB}/Version 1/{LAB}.ipynb"
    assert ada.note == f"newer, but no notebook: Submitted files/Ada/{LAB}/Version 2/{LAB}.pdf"


def test_other_notebooks_of_a_student_are_told_unless_the_lab_has_several(lay: Lay) -> None:
    root = lay("ann/LAB.ipynb", "ann/scratch.ipynb", "bo/LAB.ipynb")
    assert [one.note for one in survey(root, LAB).sources] == [f"ann/{LAB}.ipynb counts, not ann/scratch.ipynb", ""]
    assert [one.note for one in survey(root, "06-two", LAB).sources] == ["", ""]
