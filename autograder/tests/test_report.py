"""The class report: what it counts, whom it puts side by side and whom it does not."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from autograder.lab.misconceptions import Misconception
from autograder.model import ANSWER, TEST, TEXT, Cell, CellRun, Key, Mark, Result
from autograder.outputs.report import class_report
from autograder.outputs.similarity import _all_grams, fingerprints, nodes, similar
from autograder.tests.test_feedback import ATTACK, harmless

PREPARE = """def prepare(frame, month):
    rows = frame[frame["month"] <= month].copy()
    rows["ratio"] = rows["amount"] / rows["income"].clip(lower=1)
    rows = rows.dropna(subset=["ratio"]).sort_values("date")
    counts = rows.groupby("customer")["amount"].transform("count")
    rows["late"] = (rows["days"] - rows["term"]).clip(lower=0).fillna(0)
    return rows.assign(loans=counts)[["ratio", "loans"]]
"""
OTHERS = (
    """def prepare(frame, month):
    known = frame.query("month <= @month")
    known = known[known.income.notna() & known.amount.notna()]
    result = []
    for customer, part in known.groupby("customer"):
        part = part.sort_values("date")
        part["loans"] = len(part)
        part["ratio"] = [a / max(i, 1) for a, i in zip(part.amount, part.income)]
        result.append(part)
    return pd.concat(result)[["ratio", "loans"]]
""",
    """def prepare(frame, month):
    mask = frame["month"].le(month)
    small = frame.loc[mask, ["customer", "amount", "income", "date"]]
    income = np.maximum(small["income"].to_numpy(), 1)
    small["ratio"] = small["amount"].to_numpy() / income
    loans = small["customer"].map(small["customer"].value_counts())
    small["loans"] = loans
    if small["ratio"].isna().any():
        small = small[~small["ratio"].isna()]
    return small.sort_values("date")[["ratio", "loans"]]
""",
    """def prepare(frame, month):
    out = pd.DataFrame()
    selected = frame[[m <= month for m in frame["month"]]]
    out["ratio"] = selected.apply(lambda row: row["amount"] / (row["income"] or 1), axis=1)
    number = {}
    for customer in selected["customer"]:
        number[customer] = number.get(customer, 0) + 1
    out["loans"] = [number[customer] for customer in selected["customer"]]
    out["date"] = pd.to_datetime(selected["date"])
    out = out.set_index("date").sort_index()
    return out.reset_index(drop=True).dropna()
""",
)
RENAMED = """def prepare(table, until):
    # my own idea
    good = table[table["month"] <= until].copy()

    good["ratio"] = (good["amount"] / good["income"].clip(lower=1))
    good = good.dropna(subset=['ratio']).sort_values('date')
    how_many = good.groupby("customer")["amount"].transform("count")
    good["late"] = (good["days"] - good["term"]).clip(lower=0).fillna(0)
    return good.assign(loans=how_many)[["ratio", "loans"]]
"""
STUB = "def prepare(frame, month):\n    ...  # your code here"
TINY = ("return math.pi * radius**2", "return math.pi * radius * radius", "return radius ** 2 * math.pi")


def _cells() -> tuple[Cell, ...]:
    return (
        Cell(TEXT, "markdown", "# Lab"),
        Cell(ANSWER, "code", "def area(radius):\n    return math.pi * radius**2", "ex1"),
        Cell(TEST, "code", "assert area(1)", "ex1-test", 2.0, "assert area(1)"),
        Cell(ANSWER, "code", PREPARE, "ex2"),
        Cell(TEST, "code", "assert prepare", "ex2-test", 3.0, "assert prepare"),
        Cell(TEST, "code", "assert ties", "ex2-test-ties", 1.0, "assert ties"),
    )


KEY = Key("lab", _cells(), {"ex1": "def area(radius):\n    ...", "ex2": STUB}, {})


def result(name: str, area: str = "", prepare: str = STUB, lost: Any = None, **more: Any) -> Result:
    lost, reasons = lost or {}, more.pop("reasons", {})
    marks = tuple(
        Mark(
            cell.grade_id,
            KEY.exercise(cell.grade_id),
            cell.points,
            cell.points - lost.get(cell.grade_id, 0.0),
            reasons.get(cell.grade_id, "wrong" if cell.grade_id in lost else ""),
            more.get("rescued", {}).get(cell.grade_id, ()),
        )
        for cell in KEY.tests
    )
    more.pop("rescued", None)
    written = {"ex1": f"def area(radius):\n    {area or TINY[0]}", "ex2": prepare}
    runs = tuple(
        CellRun(cell.kind, cell.cell_type, written.get(cell.grade_id, cell.source), cell.grade_id) for cell in KEY.cells
    )
    return Result(name, KEY.lab, "", KEY.digest, "", marks, more.pop("cells", runs), **more)


def varied(number: int) -> str:
    """Return one of many honest answers: one of three ways, with lines of one's own."""
    lines = OTHERS[number % 3].splitlines()
    own = [f"    step_{n} = frame.shape[{n % 2}] + {number * 7 + n}" for n in range(3)]
    own.append(f"    print({'+'.join(['step_0'] * (number % 7 + 2))}, frame.index[{number}])")
    return "\n".join([lines[0], *own[: 1 + number % 4], *lines[1:], *([f"# {number}"] * 3)])


def pairs_of(results: list[Result]) -> list[tuple[str, str, tuple[str, ...]]]:
    students = []
    for one in results:
        prints = {
            cell.grade_id: fingerprints(cell.source) - _all_grams(KEY.stubs[cell.grade_id])
            for cell in one.cells
            if cell.kind == ANSWER
        }
        students.append((one.student, prints))
    return [(pair.first, pair.second, pair.exercises) for pair in similar(students)]


def text_of(page: str) -> str:
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_it_names_the_version_of_the_course_where_it_has_one() -> None:
    results = [result("ada", TINY[0])]
    assert "course version 2026.2" in text_of(class_report(results, replace(KEY, version="2026.2")))
    assert "version" not in text_of(class_report(results, KEY))


def test_a_copy_with_new_names_and_comments_is_found_and_nobody_else() -> None:
    results = [result(f"s{number:02}", TINY[number % 3], varied(number)) for number in range(30)]
    results[4] = result("s04", TINY[1], PREPARE)
    results[21] = result("s21", TINY[2], RENAMED)
    assert pairs_of(results) == [("s04", "s21", ("ex2",))]
    text = text_of(class_report(results, KEY))
    assert "s04 s21 100 % Exercise 2" in text
    assert "Read both before you think anything of it" in text
    for word in ("plagiar", "cheat", "copied"):
        assert word not in text.lower()


def test_honest_answers_to_a_tiny_exercise_are_not_flagged_equal_or_not() -> None:
    assert pairs_of([result(f"s{number:02}", TINY[number % 3]) for number in range(30)]) == []
    assert pairs_of([result("a", TINY[0]), result("b", TINY[0]), result("c", TINY[1])]) == []


def test_what_the_class_has_in_common_and_what_was_handed_out_is_not_evidence() -> None:
    assert pairs_of([result(f"s{number:02}", prepare=PREPARE) for number in range(30)]) == []
    stub = "\n".join([STUB, *PREPARE.splitlines()[1:]])
    handed = Key(KEY.lab, KEY.cells, {**KEY.stubs, "ex2": stub}, {})
    results = [result(f"s{number:02}", prepare=varied(number)) for number in range(20)]
    results[3:5] = [result("s03", prepare=stub + "\n"), result("s04", prepare=stub + "\n# mine")]
    assert "No two submissions have more in common" in class_report(results, handed)
    assert "Read both" in class_report(results, KEY), "shown failing: without the stub they are alike"


def test_in_the_smallest_class_a_copy_is_found_too() -> None:
    assert pairs_of([result("a", prepare=PREPARE), result("b", prepare=RENAMED)]) == [("a", "b", ("ex2",))]


def test_names_of_ones_own_comments_and_texts_do_not_matter_but_what_is_called_does() -> None:
    assert nodes(PREPARE) == nodes(RENAMED)
    assert nodes("x = a.mean()") != nodes("x = a.median()")
    assert nodes("x = 1") != nodes("x = 2")
    assert nodes('def f():\n    "Doc."\n    return 1') == nodes("def g():\n    return 1  # c")


@pytest.mark.parametrize(
    "source", ["def f(:", "%time x\n!ls\ny = 1", "\x00", "(" * 5000, "-" * 20_000 + "1", "x = 0x" + "f" * 9000, ""]
)
def test_any_text_has_fingerprints(source: str) -> None:
    assert isinstance(fingerprints(source), frozenset)


def test_a_class_of_500_is_quick() -> None:
    results = [result(f"s{number:03}", TINY[number % 3], varied(number)) for number in range(500)]
    start = time.perf_counter()
    page = class_report(iter(results), KEY)
    seconds = time.perf_counter() - start
    print(f"{seconds:.1f} s for 500")
    assert seconds < 30
    assert "500" in page


WRONG = [
    Misconception("ex2-a", "ex2", {"ex2-test": 3.0}, "takes the last of equals", ""),
    Misconception("ex2-b", "ex2", {"ex2-test": 3.0}, "sorts by <name>", ""),
    Misconception("ex2-c", "ex2", {"ex2-test": 3.0, "ex2-test-ties": 1.0}, "counts instead", ""),
    Misconception("ex1-a", "ex1", {"ex1-test": 2.0}, "takes the circumference", ""),
]


def section(page: str, start: str, end: str) -> str:
    text = text_of(page)
    return text[text.index(start) : text.index(end)]


def test_misconceptions_fit_by_the_pattern_within_an_exercise() -> None:
    results = [
        result("both", prepare=PREPARE, lost={"ex1-test": 2.0, "ex2-test": 3.0}),
        result("ties", prepare=PREPARE, lost={"ex2-test-ties": 1.0}),
        result("part", prepare=PREPARE, lost={"ex2-test": 1.5}),
        result("counts", prepare=PREPARE, lost={"ex2-test": 3.0, "ex2-test-ties": 1.0}),
        result("blank", lost={"ex2-test": 3.0, "ex2-test-ties": 1.0}),
        result("broken", lost={"ex1-test": 2.0}, fault="no JSON", cells=()),
    ]
    found = section(class_report(results, KEY, WRONG), "Likely misconceptions", "Worth looking")
    assert "what fits, not what it is" in found
    assert "Exercise 1 ex1-test takes the circumference both" in found
    assert "Exercise 2 ex2-test one of sorts by &lt;name&gt; takes the last of equals both" in found
    assert "Exercise 2 ex2-test, ex2-test-ties counts instead counts" in found
    rest = found[found.index("What no known misconception fits") :]
    assert "Exercise 2 ex2-test part" in rest
    assert "Exercise 2 ex2-test-ties ties" in rest
    assert "blank" not in found, "who did not answer has no misconception"
    assert "broken" not in found


def test_scores_exercises_tests_faults_and_rescues_are_counted() -> None:
    results = [
        result("ada", prepare=PREPARE),
        result(
            "bob", prepare=PREPARE, lost={"ex1-test": 2.0}, rescued={"ex2-test": ("ex1",)}, reasons={"ex1-test": "pi"}
        ),
        result("cyd", prepare=PREPARE, lost={"ex1-test": 1.0}, reasons={"ex1-test": "pi"}, notes=("edited",)),
        result("dan", prepare=PREPARE, lost={"ex1-test": 2.0}, reasons={"ex1-test": "None"}),
        result("eve", lost={cell.grade_id: cell.points for cell in KEY.tests}, fault="This is no JSON.", cells=()),
    ]
    page = class_report(results, KEY, WRONG)
    text = text_of(page)
    for fact in (
        "submissions 5",
        "mean of 6 points 3.8",
        "median 4",
        "with full points 1",
        "rescued from an earlier mistake 1",
        "could not be graded 1",
        "put right before grading 1",
        "eve This is no JSON.",
        "Exercise 1 2 0.6 1 3 1 0 Exercise 2 4 3.2 4 1 1 1",
        "ex1-test Exercise 1 4 (80 %) pi (2 of 4)",
        "ada 6",
        "eve 0 could not be graded",
    ):
        assert fact in text, fact
    assert page.count("<svg") == 2


def test_a_human_has_to_mark_and_nobody_handed_in() -> None:
    waits = result("ada", prepare=PREPARE)
    waits = Result.from_json(
        waits.to_json() | {"marks": [*waits.to_json()["marks"][:2], vars(Mark("ex2-test-ties", "ex2", 1.0, None))]}
    )
    text = text_of(class_report([waits], KEY))
    assert "wait for a human's marks 1" in text
    assert "Exercise 2 4 marked by a human" in text
    assert "There are no results yet." in class_report([], KEY)


def test_the_same_results_give_the_same_page_in_any_order() -> None:
    results = [result(f"s{number:02}", TINY[number % 3], varied(number)) for number in range(12)]
    page = class_report(results, KEY, WRONG)
    assert page == class_report(reversed(results), KEY, list(reversed(WRONG)))
    assert not re.search(r"\b20\d\d-\d\d-\d\d|dc:date|matplotlib", page)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_results_are_read_one_at_a_time() -> None:
    alive: list[int] = []

    class Large(str):
        def __del__(self) -> None:
            alive.remove(id(self))

    def results() -> Iterator[Result]:
        for number in range(40):
            large = Large("x" * 10)
            alive.append(id(large))
            assert len(alive) < 8, "results are kept"
            yield result(f"s{number:02}", prepare=PREPARE, notes=(large,))
            del large

    assert "40" in class_report(results(), KEY)


@pytest.mark.parametrize("place", ["student", "fault", "reason", "why", "lab", "exercise"])
def test_nothing_that_a_student_wrote_runs(place: str) -> None:
    name = ATTACK if place == "student" else "ada"
    more: dict[str, Any] = {"fault": ATTACK} if place == "fault" else {}
    one = result(
        name, prepare=PREPARE, lost={"ex1-test": 2.0}, reasons={"ex1-test": ATTACK} if place == "reason" else {}, **more
    )
    key, wrong = KEY, WRONG
    if place == "why":
        wrong = [Misconception("x", "ex1", {"ex1-test": 2.0}, ATTACK, "")]
    if place == "lab":
        key = Key(ATTACK, KEY.cells, KEY.stubs, {})
    if place == "exercise":
        cells = tuple(
            Cell(**{**vars(cell), "grade_id": ATTACK}) if cell.grade_id == "ex1" else cell for cell in KEY.cells
        )
        key = Key(KEY.lab, cells, KEY.stubs, {})
        one = Result.from_json(
            one.to_json()
            | {
                "marks": [
                    {**mark, "exercise": ATTACK if mark["exercise"] == "ex1" else "ex2"}
                    for mark in one.to_json()["marks"]
                ]
            }
        )
    page = class_report([one], key, wrong)
    harmless(re.sub(r"<svg role=\"img\".*?</svg>", "", page, flags=re.DOTALL))
    for drawn in re.findall(r"<svg role=\"img\".*?</svg>", page, flags=re.DOTALL):
        assert not re.search(r"<script|<img|onload=alert\(3\)>(?<!&gt;)|\son\w+=", drawn)
    assert "<script>alert" not in page
