"""Files for Canvas and Moodle: their own exports come back with one column filled, and no cell is a formula."""

import csv
import io
from typing import Any

import pytest

from autograder.model import TEST, Cell, Key, Mark, Result
from autograder.outputs.lms import canvas_csv, moodle_csv, neutral
from base.errors import UserError

KEY = Key("02-pipeline", (Cell(TEST, "code", "assert True", "ex1-test", 20.0),), {}, {})

CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,01-start (11),02-pipeline (12),Current Score,Final Score
,,,,,,Manual Posting,(read only),(read only)
    Points Possible,,,,,10,20,(read only),(read only)
"Doe, Jane",101,s101,jdoe,M1,7,,70,70
"Roe, Richard",102,s102,"=HYPERLINK(""https://evil"")",M1,3,4,30,30
"Poe, Edgar",103,s103,epoe,M2,-1,5,30,30
"Poe, Edgar",104,s104,epoe2,M2,1,,30,30
"Student, Test",999,,abc,M1,,,,
"""
MOODLE = """Identifier,Full name,Email address,Status,Grade,Maximum grade,Last modified (grade),Feedback comments
Participant 501,Jane Doe,jane@example.org,Submitted for grading - ,,100.00,-,
Participant 502,Richard Roe,rroe@example.org,No submission,12.00,100.00,"Monday, 1 March 2025","=cmd|' /C calc'!A0"
"""


def result(student: str, score: float | None = 15.0, lab: str = KEY.lab) -> Result:
    return Result(student, lab, "", "", "", (Mark("ex1-test", "ex1", 20.0, score),))


def rows(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))


@pytest.mark.parametrize(
    "student", ["101", "s101", "jdoe", "JDoe", "doejane_101_77_02-pipeline", "doejane_LATE_101_102", "Jane Doe"]
)
def test_canvas_own_export_comes_back_with_one_column_filled(student: str) -> None:
    sheet = canvas_csv([result(student, 12.345)], KEY, CANVAS)
    before, after = rows(CANVAS), rows(sheet.text)
    before[3][6] = "12.35"
    before[4][3] = "'" + before[4][3]  # the one cell that a spreadsheet would run
    assert after == before
    assert sheet.unknown == ()
    assert sheet.missing == ("Roe, Richard", "Poe, Edgar", "Poe, Edgar", "Student, Test")


def test_unknown_ambiguous_and_double_students_are_listed_and_nobody_is_guessed() -> None:
    results = [result(name) for name in ("nobody", "poeedgar", "s102", "102")]
    sheet = canvas_csv(results, KEY, CANVAS)
    assert sheet.unknown == ("102", "nobody", "poeedgar", "s102")
    assert [row[6] for row in rows(sheet.text)[3:]] == ["", "4", "5", "", ""]


WORKSHEET = """Identifier,Full name,Email address,Status,Grade,Maximum grade,Last modified (grade),Feedback comments
Participant 31,Vera Victim,v@example.org,No submission,,20.00,-,
Participant 77,Max 31 Mallory,m@example.org,Submitted,,20.00,-,
Participant 78,Anne-Marie Roe,a@example.org,Submitted,,20.00,-,
"""
GRADES = """Student,ID,SIS User ID,SIS Login ID,Section,02-pipeline (12)
    Points Possible,,,,,20
"Victim, Vera",456,v1,vera,S1,
456,901,m1,mallory,S1,
"vera_456_7_x",902,m2,mall2,S1,
"""


@pytest.mark.parametrize("others", [[], ["Vera Victim_31"]])
def test_a_number_in_a_name_of_moodle_is_no_number_of_moodle(others: list[str]) -> None:
    """marks-number-in-a-display-name, with the victim's submission and without."""
    sheet = moodle_csv([result("Max 31 Mallory_77", 20.0), *(result(one, 5.0) for one in others)], KEY, WORKSHEET)
    assert [row[4] for row in rows(sheet.text)[1:]] == ["5" if others else "", "20", ""]
    assert sheet.missing == (("Anne-Marie Roe",) if others else ("Vera Victim", "Anne-Marie Roe"))
    assert sheet.unknown == sheet.doubtful == ()


def test_a_number_in_a_name_of_canvas_is_no_number_of_canvas() -> None:
    """marks-number-in-a-display-name: a user called 456, beside the one whose number that is."""
    sheet = canvas_csv([result("456_901", 20.0)], KEY, GRADES)
    assert [row[5] for row in rows(sheet.text)[2:]] == ["", "20", ""]
    # What can be read as Vera's and as Mallory's is neither's.
    sheet = canvas_csv([result("vera_456_7_x_902_5555_02-pipeline")], KEY, GRADES.replace("Victim, Vera", "vera"))
    assert [row[5] for row in rows(sheet.text)[2:]] == ["", "", ""]
    assert sheet.unknown == ("vera_456_7_x_902_5555_02-pipeline",)


@pytest.mark.parametrize("student", ["Vera Victim_77", "Group A_31", "x_31-1a2b3c4d", "Participant 77_31"])
def test_a_name_that_does_not_fit_its_number_is_a_doubt(student: str) -> None:
    """marks-number-in-a-display-name: also a group's number, which is none of a person."""
    sheet = moodle_csv([result(student)], KEY, WORKSHEET)
    assert [row[4] for row in rows(sheet.text)[1:]] == ["", "", ""]
    [doubt] = sheet.doubtful
    assert doubt.startswith(f"{student} (the number of ")


@pytest.mark.parametrize(
    ("student", "row"),
    [
        ("Participant_31", 1),  # anonymous marking
        ("Anne-Marie Roe_78", 3),
        ("Group A-Anne-Marie Roe_78", 3),
        ("Vera- Victim_31-1a2b3c4d", 1),  # a name that had to be changed
        ("Max 31 Mallory_77_assignsubmission_file_", 2),
    ],
)
def test_a_name_that_fits_its_number_is_found(student: str, row: int) -> None:
    sheet = moodle_csv([result(student)], KEY, WORKSHEET)
    assert [bool(one[4]) for one in rows(sheet.text)] == [at in (0, row) for at in range(4)]


def test_a_number_that_is_nobodys_is_not_replaced_by_the_name() -> None:
    """It is another assignment's, or another course's: the name alone would do only where there is no number."""
    assert moodle_csv([result("Vera Victim_9999")], KEY, WORKSHEET).unknown == ("Vera Victim_9999",)
    assert moodle_csv([result("Vera Victim")], KEY, WORKSHEET).unknown == ()
    assert moodle_csv([result("Bo Mu\u0308ller")], KEY, WORKSHEET.replace("Vera Victim", "Bo Müller")).unknown == ()


@pytest.mark.parametrize("word", ["EX", "ex", "A-", "complete"])
def test_a_word_that_stands_in_the_table_stays_and_is_told(word: str) -> None:
    """public/, Canvas' EX (excused) was overwritten by a mark."""
    sheet = canvas_csv([result("vera"), result("mallory")], KEY, GRADES.replace("vera,S1,", f"vera,S1,{word}"))
    assert [row[5] for row in rows(sheet.text)[2:]] == [word, "15", ""]
    assert sheet.kept == (f"vera ({word})",)


def test_who_waits_for_a_human_is_not_uploaded_unless_the_gradebook_has_the_mark() -> None:
    sheet = canvas_csv([result("jdoe", None), result("s102", 2.0)], KEY, CANVAS)
    assert (sheet.waiting, [row[6] for row in rows(sheet.text)[3:5]]) == (("jdoe",), ["", "2"])
    sheet = canvas_csv([result("jdoe", None), result("s102", 2.0)], KEY, CANVAS, totals={"jdoe": 18.5, "s102": None})
    assert (sheet.waiting, [row[6] for row in rows(sheet.text)[3:5]]) == (("s102",), ["18.5", "4"])


def test_how_canvas_wrote_the_file_is_kept() -> None:
    theirs = "\ufeff" + CANVAS.replace(",,,,,,Manual", ";;;;;;Manual").replace("\n", "\r\n")
    other = "\ufeff" + "\r\n".join(
        ";".join(f'"{cell}"' if ";" in cell else cell for cell in row) for row in rows(CANVAS)
    )
    sheet = canvas_csv([result("jdoe")], KEY, other.replace('=HYPERLINK("https://evil")', "x") + "\r\n")
    assert sheet.text.startswith("\ufeffStudent;ID;")
    assert "Doe, Jane;101;s101;jdoe;M1;7;15;70;70\r\n" in sheet.text
    with pytest.raises(UserError, match=r"more cells in line|no Canvas gradebook|is no CSV"):
        canvas_csv([], KEY, theirs.replace("Student,ID", "A,B,C"))


@pytest.mark.parametrize(
    ("roster", "message"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "no Canvas gradebook"),
        (MOODLE, "no Canvas gradebook"),
        (
            CANVAS.replace("02-pipeline (12)", "Pipelines (12)"),
            r"no assignment '02-pipeline'; .*01-start \(11\), Pipelines",
        ),
        (CANVAS.replace("01-start (11)", "02-pipeline (11)"), "more than one assignment"),
        ('Student,ID,Section,"x\n', "no CSV|more cells"),
    ],
)
def test_a_wrong_roster_is_told(roster: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        canvas_csv([result("jdoe")], KEY, roster)


def test_the_assignment_may_have_another_name_and_another_maximum() -> None:
    roster = CANVAS.replace("02-pipeline (12)", "Pipelines (12)").replace("10,20,", "10,100,")
    sheet = canvas_csv([result("jdoe", 15.0)], KEY, roster, column="Pipelines")
    assert rows(sheet.text)[3][6] == "75"
    assert sheet.notes == ("The LMS counts to 100, the lab to 20: marks are scaled.",)


def test_canvas_without_a_roster_has_what_the_importer_asks_for() -> None:
    sheet = canvas_csv([result("roe"), result("=1+1"), result("doe", None)], KEY)
    assert rows(sheet.text) == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "02-pipeline"],
        ["    Points Possible", "", "", "", "", "20"],
        ["'=1+1", "", "'=1+1", "'=1+1", "", "15"],
        ["roe", "", "roe", "roe", "", "15"],
    ]
    assert sheet.waiting == ("doe",)


@pytest.mark.parametrize(
    "student", ["Jane Doe_501_assignsubmission_file_", "Participant 501", "501", "jane@example.org", "jane", "Jane Doe"]
)
def test_moodles_worksheet_comes_back_with_the_grade_filled(student: str) -> None:
    sheet = moodle_csv([result(student)], KEY, MOODLE)
    before, after = rows(MOODLE), rows(sheet.text)
    before[1][4] = "75"
    before[2][7] = "'" + before[2][7]
    assert after == before
    assert sheet.missing == ("Richard Roe",)
    assert sheet.notes == ("The LMS counts to 100, the lab to 20: marks are scaled.",)


def test_moodle_without_a_roster_and_with_a_wrong_one() -> None:
    sheet = moodle_csv([result("jane@example.org"), result("@SUM(A1)")], KEY)
    assert rows(sheet.text) == [["Student", "02-pipeline"], ["'@SUM(A1)", "15"], ["jane@example.org", "15"]]
    with pytest.raises(UserError, match="with English as language"):
        moodle_csv([], KEY, MOODLE.replace("Identifier", "Kennung"))
    anonymous = "\n".join(",".join(line.split(",")[:1] + line.split(",")[2:]) for line in MOODLE.splitlines()[:2])
    assert moodle_csv([result("Participant 501_501_x")], KEY, anonymous).unknown == ()


@pytest.mark.parametrize(
    "evil", ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(A1)", "\t=1", "\r=1", " =1+1", "\n=1"]
)
def test_a_formula_is_neutralised(evil: str) -> None:
    assert neutral(evil) == "'" + evil
    roster = io.StringIO(newline="")
    table = rows(CANVAS)
    table[3][0] = evil
    csv.writer(roster).writerows(table)
    for sheet in (
        canvas_csv([result("jdoe")], KEY, roster.getvalue()),
        canvas_csv([result(evil)], KEY),
        moodle_csv([result(evil)], KEY),
    ):
        for row in rows(sheet.text):
            assert not [cell for cell in row if cell.lstrip().startswith(("=", "@")) or cell[:1] in ("\t", "\r")], row


@pytest.mark.parametrize("plain", ["", "12", "-3.5", "+4912345", "-", "--", "85%", "1,5", "Doe, Jane", "a=b"])
def test_what_is_no_formula_stays(plain: str) -> None:
    assert neutral(plain) == plain


def test_a_result_of_another_lab_is_refused() -> None:
    for write in (canvas_csv, moodle_csv):
        call: Any = write
        with pytest.raises(ValueError, match="a result of other"):
            call([result("jdoe", lab="other")], KEY)
