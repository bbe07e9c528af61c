"""Whatever the order, the grouping, the format or the kill: the same deliveries give the same lake, no row is lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.pipelines.artifacts import PipelineBusyError, folder_lock
from oakbank.pipelines.deliveries import DeliveryTruth, deliveries
from oakbank.pipelines.intake import read_quarantine, take_in
from oakbank.pipelines.landing import DeliveryError, read_text
from oakbank.pipelines.ledger import IntakeError, IntakeReport
from oakbank.world import COLUMNS, Lake, World, load_scenario
from oakbank.world.lake import read_parquet

WORLD = World(3, load_scenario("calm").model_copy(update={"applications_per_month": 150}))
POOL = WORLD.applications(0).head(12).reset_index(drop=True)
NEXT = WORLD.applications(1).head(6).reset_index(drop=True)


def everything(folder: Path) -> dict[str, bytes]:
    """Return the content of every file that a reader may look at: not the intake's own copies of rows."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and not (path.suffix == ".parquet" and "intake" in path.relative_to(folder).parts)
    }


def row(number: int, **changes: Any) -> pd.DataFrame:
    return POOL.iloc[[number]].astype(object).assign(**changes)


def landing_zone(folder: Path) -> list[Path]:
    """Write ten small deliveries with every conflict that two files can have; returns them in order of their names."""
    moved = POOL.iloc[[4]].assign(month=1, applied_on=pd.Timestamp("2024-02-05"))
    frames = {
        "2024-01-08-a.csv": pd.concat([POOL.head(6), POOL.iloc[[2]]]),
        "2024-01-09-a.csv": pd.concat([row(2, amount=777.0), row(3, amount=888.0)]),
        "2024-01-10-b.parquet": pd.concat([POOL.iloc[6:], row(2, amount=999.0)])[POOL.columns[::-1]],
        "2024-01-12-b.csv": row(3, age=17),
        "2024-01-15-c.csv": moved,
        "2024-01-16-c.csv": pd.concat([row(5, income="n/a"), row(6, amount=1_000.0), row(6, amount=2_000.0)]),
        "2024-02-08-a.csv": NEXT.drop(columns="month").assign(campaign="spring"),
        "2024-02-09-a.csv": NEXT.drop(columns=["bureau_score"]).tail(2),
    }
    folder.mkdir(parents=True)
    for name, frame in frames.items():
        if name.endswith(".csv"):
            frame.to_csv(folder / name, index=False, lineterminator="\n")
        else:
            frame.to_parquet(folder / name)
    # The first file again: once after the corrections, once under a name that comes before all.
    for name in ("2024-01-20-a-again.csv", "2024-01-01-early.csv"):
        shutil.copy(folder / "2024-01-08-a.csv", folder / name)
    return sorted(folder.iterdir())


@dataclass(frozen=True)
class Taken:
    files: list[Path] = field(repr=False)
    content: dict[str, bytes] = field(repr=False)
    report: IntakeReport = field(repr=False)


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    """The ten deliveries, and what the lake and the quarantine hold when they are taken in at once."""
    folder = tmp_path_factory.mktemp("taken")
    files = landing_zone(folder / "landing")
    report = take_in(folder / "landing", Lake(folder / "lake"), folder / "quarantine")
    shutil.move(folder / "landing", folder / ".landing")
    return Taken([folder / ".landing" / path.name for path in files], everything(folder), report)


def test_the_ten_deliveries_come_out_as_worked_out_by_hand(taken: Taken) -> None:
    files, report = taken.files, taken.report
    lake = Lake(files[0].parents[1] / "lake")
    first, second = lake.read("applications", [0]), lake.read("applications", [1])
    amount = first.set_index("application_id")["amount"]
    assert first["application_id"].tolist() == POOL["application_id"].drop(4).tolist()  # one moved to February
    assert second["application_id"].tolist() == [POOL["application_id"][4], *NEXT["application_id"]]
    assert amount[POOL["application_id"][2]] == 999.0, "the last correction counts, not the file sent again"
    assert amount[POOL["application_id"][3]] == 888.0, "a broken row replaces nothing"
    assert amount[POOL["application_id"][6]] == 2_000.0, "within a file the last row counts"
    assert second["bureau_score"].isna().tolist() == [False] * 5 + [True] * 2
    # 18 first versions, 777, 888, 999, the move, 1000, 2000, and two of February without a score
    assert (report.taken, report.corrected, report.quarantined) == (26, 8, 2)
    assert (report.delivered, report.duplicates) == (43, 43 - 28)
    assert report.reasons == {"age is below 18 years": 1, "income is missing": 1}
    assert report.columns["2024-02-08-a.csv"] == ("+campaign", "-month")
    assert report.columns["2024-02-09-a.csv"] == ("-bureau_score",)
    aside = read_quarantine(lake, files[0].parents[1] / "quarantine")
    assert aside[["delivery", "row", "reason", "age", "income"]].to_numpy().tolist() == [
        ["2024-01-12-b.csv", 1, "age is below 18 years", "17", str(POOL["income"][3])],
        ["2024-01-16-c.csv", 1, "income is missing", str(POOL["age"][5]), "n/a"],
    ]


@settings(deadline=None, max_examples=6)
@given(st.permutations(range(10)), st.sets(st.integers(1, 9), max_size=4), st.integers(1, 5))
def test_any_order_and_grouping_of_the_runs_gives_the_same_lake(
    taken: Taken,
    tmp_path_factory: pytest.TempPathFactory,
    order: list[int],
    ends: set[int],
    batch_rows: int,
) -> None:
    files, content, once = taken.files, taken.content, taken.report
    folder = tmp_path_factory.mktemp("runs")
    (folder / ".landing").mkdir()
    reports = []
    for number, file in enumerate(order, 1):
        shutil.copy(files[file], folder / ".landing")
        if number in ends or number == len(order):
            reports.append(
                take_in(folder / ".landing", Lake(folder / "lake"), folder / "quarantine", batch_rows=batch_rows)
            )
    assert all(report.refused == {} for report in reports)
    assert everything(folder) == content
    for name in ("delivered", "taken", "corrected", "duplicates", "quarantined"):
        assert sum(getattr(report, name) for report in reports) == getattr(once, name), name
    for report in reports:
        assert report.taken + report.duplicates + report.quarantined == report.delivered
        assert sum(report.reasons.values()) == report.quarantined
    assert sorted(name for report in reports for name in report.files) == [path.name for path in files]


def test_run_again_it_writes_nothing_and_a_new_file_writes_its_month_only(tmp_path: Path) -> None:
    truth = deliveries(WORLD, [0, 1, 2], tmp_path / "landing")
    held = max(name for name in truth.names if name < "2024-02-08")  # a file of January's last week
    shutil.move(tmp_path / "landing" / held, tmp_path / held)
    lake = Lake(tmp_path / "lake")
    take_in(tmp_path / "landing", lake, tmp_path / "quarantine")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"}
    again = take_in(tmp_path / "landing", lake, tmp_path / "quarantine")
    assert again == IntakeReport(refused=again.refused)
    shutil.move(tmp_path / held, tmp_path / "landing" / held)
    report = take_in(tmp_path / "landing", lake, tmp_path / "quarantine")
    assert report.files == (held,)
    assert report.months
    touched = {path for path, at in before.items() if path.exists() and path.stat().st_mtime_ns != at}
    allowed = {lake.path("applications", month) for month in report.months} | {lake.folder / "intake" / "ledger.json"}
    assert touched - {tmp_path / held} <= allowed
    assert set(report.months) != {0, 1, 2}


def check(truth: DeliveryTruth, world: World, folder: Path, months: Iterable[int], report: IntakeReport) -> None:
    counts = {one.name for one in fields(DeliveryTruth)} & {one.name for one in fields(IntakeReport)}
    found, wanted = asdict(report), asdict(truth)
    counts -= {"refused"}
    assert counts >= {"delivered", "taken", "corrected", "duplicates", "reasons"}
    assert {name: found[name] for name in counts} == {name: wanted[name] for name in counts}
    assert tuple(report.refused) == truth.refused
    honest = Lake(folder / "honest")
    for month in months:
        assert (
            honest.write("applications", month, truth.lake(world, month)).read_bytes()
            == Lake(folder / "lake").path("applications", month).read_bytes()
        )


@pytest.mark.parametrize(("seed", "months"), [(0, range(2)), (1, range(-3, 0)), (2, range(5, 6))])
def test_what_was_delivered_by_three_suppliers_is_the_world_to_the_byte(
    tmp_path: Path, seed: int, months: range
) -> None:
    truth = deliveries(WORLD, months, tmp_path / "landing", seed)
    assert all((truth.refused, truth.again, truth.reasons, truth.late, truth.corrected))
    report = take_in(tmp_path / "landing", Lake(tmp_path / "lake"), tmp_path / "quarantine")
    check(truth, WORLD, tmp_path, months, report)
    assert len(read_quarantine(Lake(tmp_path / "lake"), tmp_path / "quarantine")) == report.quarantined
    other = deliveries(WORLD, months, tmp_path / "other", seed)
    assert other == truth
    assert everything(tmp_path / "other") == everything(tmp_path / "landing")


# ---- files that cannot be taken in ----


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_file_cut_off_anywhere_within_a_row_is_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    suffix = data.draw(st.sampled_from(["csv", "parquet"]))
    whole = folder / f"whole.{suffix}"
    if suffix == "csv":
        POOL.to_csv(whole, index=False, lineterminator="\n")
    else:
        POOL.to_parquet(whole)
    content = whole.read_bytes()
    assert sum(len(batch) for batch in read_text(whole)) == len(POOL)
    end = data.draw(st.integers(0, len(content) - 1))
    cut = folder / f"cut.{suffix}"
    cut.write_bytes(content[:end])
    if suffix == "csv" and content[:end].endswith(b"\n"):
        assert sum(len(batch) for batch in read_text(cut)) == content[:end].count(b"\n") - 1  # nothing shows
        return
    with pytest.raises(DeliveryError, match=r"cut off|cannot be read|deliver it again"):
        list(read_text(cut))


def spoilt(change: Callable[[str], str]) -> bytes:
    return change(POOL.head(3).to_csv(index=False, lineterminator="\n")).encode("latin-1")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.xlsx", b"PK", "neither .csv nor .parquet"),
        ("a.csv", b"", "cut off"),
        ("a.csv", spoilt(lambda text: text.replace("application_id", "id")), "no column application_id"),
        ("a.csv", spoilt(lambda text: text.replace("debts", "income")), "column income twice"),
        ("a.csv", spoilt(lambda text: text.replace("web", '"web').replace("branch", '"branch')), "swallows|Expected"),
        ("a.csv", spoilt(lambda text: text.replace("\n", ",x\n").replace(",x\n", "\n", 1)), "Expected 17 columns"),
        ("a.csv", spoilt(lambda text: text.replace("salaried", "angestellt\xe4")), "UTF8"),
        ("a.parquet", b"PAR1 and no more PAR1", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_others_go_on(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / name).write_bytes(content)
    POOL.to_parquet(tmp_path / "landing" / "z.parquet")
    lake = Lake(tmp_path / "lake")
    report = take_in(tmp_path / "landing", lake, tmp_path / "quarantine")
    assert list(report.refused) == [name]
    pd.testing.assert_series_equal(pd.Series(report.refused).str.contains(says), pd.Series({name: True}))
    assert (report.files, report.taken) == (("z.parquet",), 12)
    assert not (tmp_path / "quarantine").exists()
    assert [path.name for path in (lake.folder / "intake").iterdir() if path.name.startswith(".")] == [".lock"]
    (tmp_path / "landing" / name).unlink()
    good = tmp_path / "landing" / Path(name).with_suffix(".csv").name  # delivered again, whole
    NEXT.to_csv(good, index=False, lineterminator="\n")
    assert take_in(tmp_path / "landing", lake, tmp_path / "quarantine").files == (good.name,)


def test_a_delivery_that_was_changed_after_it_was_taken_in_is_refused(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    POOL.to_parquet(tmp_path / "landing" / "a.parquet")
    take_in(tmp_path / "landing", Lake(tmp_path / "lake"), tmp_path / "quarantine")
    before = everything(tmp_path / "lake")
    NEXT.to_parquet(tmp_path / "landing" / "a.parquet")
    report = take_in(tmp_path / "landing", Lake(tmp_path / "lake"), tmp_path / "quarantine")
    assert report == IntakeReport(refused={"a.parquet": report.refused["a.parquet"]})
    assert "under a new one" in report.refused["a.parquet"]
    assert everything(tmp_path / "lake") == before


def test_the_types_of_a_parquet_file_do_not_matter(tmp_path: Path) -> None:
    """Text, decimals, categories, wide and narrow numbers, a date or a moment: the same rows, the same bytes."""
    other = pa.Table.from_pandas(POOL, preserve_index=False)
    kinds = {
        "age": pa.float32(),
        "income": pa.decimal128(12, 2),
        "applied_on": pa.date32(),
        "application_id": pa.float64(),
        "term": pa.string(),
        "delinquencies": pa.uint8(),
    }
    (tmp_path / "landing").mkdir()
    POOL.to_parquet(tmp_path / "landing" / "a.parquet")
    table = pa.table({name: other[name].cast(kinds.get(name, other[name].type)) for name in other.column_names})
    pq.write_table(table, tmp_path / "landing" / "b.parquet")
    report = take_in(tmp_path / "landing", Lake(tmp_path / "lake"), tmp_path / "quarantine")
    assert (report.taken, report.duplicates) == (12, 12)
    odd = pa.table({"application_id": [1], "applied_on": ["2024-01-01"], "income": [[1.0]]})
    pq.write_table(odd, tmp_path / "landing" / "c.parquet")
    report = take_in(tmp_path / "landing", Lake(tmp_path / "lake"), tmp_path / "quarantine")
    assert list(report.refused) == ["c.parquet"]


def test_damage_to_the_intake_itself_is_said(tmp_path: Path) -> None:
    landing_zone(tmp_path / "landing")
    lake = Lake(tmp_path / "lake")
    take_in(tmp_path / "landing", lake, tmp_path / "quarantine")
    before = everything(tmp_path)
    lake.path("applications", 1).unlink()  # a month that is gone is made again
    assert take_in(tmp_path / "landing", lake, tmp_path / "quarantine").months == (1,)
    assert everything(tmp_path) == before
    part = next(path for path in (lake.folder / "intake").iterdir() if path.is_dir())
    shutil.move(part, tmp_path / "lost")
    with pytest.raises(IntakeError, match="is gone: delete"):
        take_in(tmp_path / "landing", lake, tmp_path / "quarantine")
    shutil.move(tmp_path / "lost", part)
    (lake.folder / "intake" / "ledger.json").write_text("{")
    with pytest.raises(IntakeError, match=r"ledger\.json cannot be read .* delete it"):
        take_in(tmp_path / "landing", lake, tmp_path / "quarantine")
    (lake.folder / "intake" / "ledger.json").unlink()
    take_in(tmp_path / "landing", lake, tmp_path / "quarantine")
    assert everything(tmp_path) == before
    with folder_lock(lake.folder / "intake"), pytest.raises(PipelineBusyError):
        take_in(tmp_path / "landing", lake, tmp_path / "quarantine")


# ---- rows ----

TEXTS = st.one_of(
    st.sampled_from(["", "n/a", "-1", "1e3", "1_000", "inf", "nan", "NaN", "0x10", "9007199254740993", "1.5", "None"]),
    st.sampled_from(["2024-01-31T23:59:59+02:00", "2024-02-30", "0001-01-01", "9999-12-31", "2024-1-1", "30.02.2024"]),
    st.text(st.characters(codec="utf-8", exclude_characters='",\r\n\x00', exclude_categories=["Cs"]), max_size=6),
)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 11), st.sampled_from([column.name for column in COLUMNS]), TEXTS), max_size=12),
    st.sampled_from(["csv", "parquet"]),
)
def test_whatever_stands_in_a_cell_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[int, str, str]], suffix: str
) -> None:
    folder = tmp_path_factory.mktemp("cells")
    sent = POOL.astype(str)
    for number, column, text in cells:
        sent[column] = np.where(np.arange(len(sent)) == number, text, sent[column])
    (folder / "landing").mkdir()
    if suffix == "csv":
        sent.to_csv(folder / "landing" / "a.csv", index=False, lineterminator="\n")
    else:
        sent.to_parquet(folder / "landing" / "a.parquet")
    lake = Lake(folder / "lake")
    report = take_in(folder / "landing", lake, folder / "quarantine")
    assert report.refused == {}
    assert report.taken + report.duplicates + report.quarantined == report.delivered == 12
    kept = sum(len(lake.read("applications", [month])) for month in lake.months("applications"))
    assert kept == report.taken - report.corrected
    aside = read_quarantine(lake, folder / "quarantine")
    assert len(aside) == report.quarantined
    assert set(range(12)) - {number for number, _, _ in cells} <= set(range(12)) - set(aside["row"] - 1)
    as_sent = sent.iloc[aside["row"].to_numpy() - 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(aside[list(sent)].fillna(""), as_sent)  # the text is kept as it was delivered


# ---- a kill at every moment ----

KILLED = """
import os, pathlib, shutil, signal, sys
moment, landing, folder = int(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
import pyarrow.parquet as pq
from oakbank.pipelines.intake import take_in
from oakbank.world import Lake

def child(moment, target):
    count = 0
    def watched(function):
        def call(*args, **named):
            nonlocal count
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **named)
        return call
    for owner, name in ((pathlib.Path, "rename"), (pathlib.Path, "replace"), (os, "fsync"), (shutil, "rmtree"),
                        (pq.ParquetWriter, "write_table")):
        setattr(owner, name, watched(getattr(owner, name)))
    take_in(landing, Lake(target / "lake"), target / "quarantine")

while True:
    target = folder.with_name(f"killed-{moment}")
    shutil.copytree(folder, target)
    process = os.fork()
    if not process:
        child(moment, target)
        os._exit(0)
    status = os.waitpid(process, 0)[1]
    print(moment, status, flush=True)
    if status == 0:
        break
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
    moment += 1
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_and_run_again_it_ends_in_the_same_bytes(tmp_path: Path, taken: Taken) -> None:
    files, content = taken.files, taken.content
    start = tmp_path / "start"
    (start / ".landing").mkdir(parents=True)
    for file in files[:3]:
        shutil.copy(file, start / ".landing")
    take_in(start / ".landing", Lake(start / "lake"), start / "quarantine")
    old = Lake(start / "lake")
    ids = {month: set(old.read("applications", [month])["application_id"]) for month in old.months("applications")}
    landing = files[0].parent
    command = [sys.executable, "-c", KILLED, "1", str(landing), str(start)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    statuses = [int(line.split()[1]) for line in done.stdout.splitlines()]
    assert len(statuses) > 20
    assert statuses == [signal.SIGKILL] * (len(statuses) - 1) + [0]
    for moment in range(1, len(statuses) + 1):
        folder = tmp_path / f"killed-{moment}"
        for path in (folder / "lake" / "applications").glob("month=*.parquet"):
            month = int(path.stem.removeprefix("month="))
            assert set(read_parquet(path)["application_id"]) >= ids.get(month, set()) - {POOL["application_id"][4]}
    for moment in [*random.Random(0).sample(range(1, len(statuses)), 5), len(statuses) - 1, len(statuses)]:
        folder = tmp_path / f"killed-{moment}"
        take_in(landing, Lake(folder / "lake"), folder / "quarantine")
        assert everything(folder) == content, moment
