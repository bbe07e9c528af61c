"""From delivered files to the lake: each once, whatever the order, however often it is run or killed.

The rule by which two versions of an application are compared is **the name of the delivery**, so files must be named in
the order in which they were sent (`2024-02-08-branch.csv`). The version of the last name counts, within one file the
last row; a file sent again counts under its first name. So the lake depends on *what* was delivered, never on when the
intake ran. A row that breaks the contract never replaces one that keeps it.

A delivery is split once into rows by month (`intake/HASH/` in the lake's folder); a month of the lake is the latest
version of each application among those rows. The ledger (`intake/ledger.json`) is written last: what a kill leaves
undone is not in it, and is done again to the same bytes.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from oakbank.pipelines.artifacts import folder_lock
from oakbank.pipelines.landing import QUARANTINED, ROWS, DeliveryError, columns_of, put_schema_on, read_text
from oakbank.pipelines.ledger import IntakeError, IntakeReport, Ledger
from oakbank.world import CATEGORIES, COLUMNS, Lake, LakeError
from oakbank.world.files import file_hash, whole, write_json
from oakbank.world.lake import read_parquet

Append = Callable[[str, pd.DataFrame, pa.Schema], None]
"""Adds rows to the file of a name."""
_VALUES = ", ".join(f'"{column.name}"' for column in COLUMNS)
VERSIONS = """
WITH ranked AS (
    SELECT *, row_number() OVER last_sent_first AS version, first(month) OVER last_sent_first AS latest_month
    FROM rows JOIN deliveries USING (delivery)
    WHERE application_id IN (SELECT application_id FROM rows WHERE month = $month)
    WINDOW last_sent_first AS (PARTITION BY application_id ORDER BY place DESC, "row" DESC)
)
SELECT * FROM ranked WHERE latest_month = $month
"""
"""All versions of the applications whose latest is of a month, that one as version 1. `place` is a delivery's place in
the order of names; a correction may have moved an application to another month."""


def take_in(landing: str | Path, lake: Lake, quarantine: str | Path, *, batch_rows: int = 65_536) -> IntakeReport:
    """Take the deliveries that lie in a folder into the lake's applications; those taken in before are skipped.

    Args:
        landing: A folder of `.csv` and `.parquet` files. Hidden files are not looked at, and nothing is changed.
        lake: Where to publish; only months that a delivery changes are written, each whole or not at all.
        quarantine: A folder for the rows that break the contract, one file per delivery that has any.
        batch_rows: How many rows of a delivery are held in memory at once; the lake does not depend on it.

    Raises:
        PipelineBusyError: Another process takes in to this lake.
        IntakeError: The ledger is damaged.
        OSError: The landing folder cannot be read, or the disk is full; run again when that is mended.
    """
    home = lake.folder / "intake"
    with folder_lock(home), duckdb.connect(config={"temp_directory": str(home / ".spill")}) as connection:
        for stale in home.glob(".*.tmp"):  # what a kill left behind: a half-split delivery, a half-written ledger
            if stale.is_dir():
                shutil.rmtree(stale)
            else:
                stale.unlink()
        ledger = Ledger.load(home / "ledger.json")
        before, refused, fresh = ledger.totals(), {}, []
        names = ledger.by_name()
        files = [path for path in sorted(Path(landing).iterdir()) if path.is_file() and not path.name.startswith(".")]
        for path in files:
            digest = file_hash(path)
            known = names.get(path.name)
            if known == digest:
                continue
            try:
                if known:
                    raise DeliveryError("it is not what was taken in under this name: deliver it under a new one")
                if digest not in ledger.deliveries:
                    ledger.deliveries[digest] = _split(path, digest, home, Path(quarantine), connection, batch_rows)
            except DeliveryError as error:
                refused[path.name] = str(error)
                continue
            ledger.deliveries[digest]["names"] = sorted([*ledger.deliveries[digest]["names"], path.name])
            fresh.append((path.name, digest))
        months = _publish(ledger, {digest for _, digest in fresh}, lake, home, connection)
        if fresh:
            write_json(home / "ledger.json", ledger.as_json())
    gained = ledger.totals() - before
    return IntakeReport(
        files=tuple(name for name, _ in fresh),
        refused=refused,
        **{name: gained[name] for name in ("delivered", "taken", "corrected", "duplicates", "quarantined")},
        reasons={name[1:]: gained[name] for name in sorted(gained) if name.startswith("!")},
        months=months,
        columns={name: tuple(odd) for name, digest in fresh if (odd := ledger.deliveries[digest]["columns"])},
    )


def read_quarantine(lake: Lake, quarantine: str | Path) -> pd.DataFrame:
    """Return all rows that were turned away: `delivery` (the file), `row` (in it, from 1), `reason`, the text."""
    ledger = Ledger.load(lake.folder / "intake" / "ledger.json")
    frames = [QUARANTINED.empty_table().to_pandas().assign(delivery="")]
    for digest, entry in ledger.deliveries.items():
        if entry["reasons"]:
            turned_away = read_parquet(Path(quarantine) / f"{digest}.parquet")
            frames.append(turned_away.assign(delivery=entry["names"][0]))
    rows: pd.DataFrame = pd.concat(frames, ignore_index=True).sort_values(["delivery", "row"], ignore_index=True)
    return rows[["delivery", *QUARANTINED.names]]


def _split(
    path: Path, digest: str, home: Path, quarantine: Path, connection: duckdb.DuckDBPyConnection, batch_rows: int
) -> dict[str, Any]:
    """Split a delivery into `home/HASH/MONTH.parquet` and the quarantine; returns its entry for the ledger."""
    names = columns_of(path)
    work = home / f".{digest}.tmp"
    work.mkdir()
    try:
        with _parquet_files(work) as append:
            delivered, reasons = _sort_rows(read_text(path, batch_rows), digest, append, connection)
        if file_hash(path) != digest:
            raise DeliveryError("it changed while it was read, so it is still being written: run again later")
        if reasons:
            with (work / "quarantined").open("rb") as held, whole(quarantine / f"{digest}.parquet") as stream:
                shutil.copyfileobj(held, stream)
            (work / "quarantined").unlink()
        if (home / digest).exists():  # of a run that was killed before it wrote the ledger
            shutil.rmtree(home / digest)
        work.rename(home / digest)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    known = {column.name for column in COLUMNS}
    odd = [f"+{name}" for name in sorted(set(names) - known)] + [f"-{name}" for name in sorted(known - set(names))]
    return {"names": [], "rows": delivered, "reasons": dict(sorted(reasons.items())), "columns": odd}


@contextmanager
def _parquet_files(folder: Path) -> Iterator[Append]:
    """Yield a function that appends rows to the file of a name, which is made when it is first named."""
    writers: dict[str, pq.ParquetWriter] = {}

    def append(name: str, rows: pd.DataFrame, schema: pa.Schema) -> None:
        if name not in writers:
            writers[name] = pq.ParquetWriter(folder / name, schema, compression="zstd", write_page_checksum=True)
        writers[name].write_table(pa.Table.from_pandas(rows.reindex(columns=schema.names), schema, False))

    try:
        yield append
    finally:
        for writer in writers.values():
            writer.close()


def _sort_rows(
    batches: Iterable[pa.Table], digest: str, append: Append, connection: duckdb.DuckDBPyConnection
) -> tuple[int, Counter[str]]:
    """Append each row to its month or to the quarantine; returns how many there are, and why some are turned away."""
    delivered, reasons = 0, Counter[str]()
    for text in batches:
        rows, reason = put_schema_on(text, connection)
        number = pd.Series(range(delivered + 1, delivered + len(rows) + 1))
        delivered += len(rows)
        bad = reason != ""
        reasons.update(reason[bad])
        if bad.any():
            turned_away = text.filter(pa.array(bad)).to_pandas()
            aside = turned_away.assign(row=number[bad].to_numpy(), reason=reason[bad].to_numpy())
            append("quarantined", aside, QUARANTINED)
        good = rows[~bad].assign(delivery=digest, row=number[~bad])
        for month in sorted(good["month"].unique()):
            append(f"{int(month):+04d}.parquet", good[good["month"] == month], ROWS)
    return delivered, reasons


def _publish(
    ledger: Ledger, fresh: Iterable[str], lake: Lake, home: Path, connection: duckdb.DuckDBPyConnection
) -> tuple[int, ...]:
    """Write the months that fresh deliveries touch, or that are gone, and note their counts; returns those written."""
    order = sorted(ledger.deliveries, key=lambda digest: (ledger.deliveries[digest]["names"][0], digest))
    if lost := [digest for digest in order if not (home / digest).is_dir()]:
        raise IntakeError(f"{home / lost[0]} is gone: delete {home} and take in all deliveries again")
    parts = [path for digest in order for path in sorted((home / digest).glob("*.parquet"))]
    checked = ds.ParquetFileFormat(
        default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
    )
    connection.register("rows", ds.dataset([str(path) for path in parts], schema=ROWS, format=checked))
    connection.register("deliveries", pd.DataFrame({"delivery": order, "place": range(len(order))}))
    gone = {month for month in ledger.months if not lake.path("applications", month).exists()}
    touched = {int(path.stem) for path in parts if path.parent.name in fresh}
    if touched:  # and the months in which the same applications stood until now: a correction may move one
        connection.register("fresh", pd.DataFrame({"delivery": sorted(fresh)}))
        ids = "SELECT application_id FROM rows SEMI JOIN fresh USING (delivery)"
        moved = connection.execute(f"SELECT DISTINCT month FROM rows WHERE application_id IN ({ids})").fetchall()  # noqa: S608
        touched |= {month for (month,) in moved}
    written = []
    for month in sorted(touched | gone):
        frame, ledger.months[month] = _latest(month, connection)
        path = lake.path("applications", month)
        if frame.empty:
            path.unlink(missing_ok=True)
            del ledger.months[month]
        elif not _same(frame, path):
            lake.write("applications", month, frame)
            written.append(month)
    return tuple(written)


def _latest(month: int, connection: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the applications whose latest version is of this month, in order of their ids, and the counts of them."""
    connection.execute(f"CREATE OR REPLACE TEMP TABLE versions AS {VERSIONS}", {"month": month})
    counted = f"SELECT count(*), count(DISTINCT ({_VALUES})), count(DISTINCT application_id) FROM versions"  # noqa: S608
    rows, different, ids = connection.execute(counted).fetchall()[0]
    latest = f"SELECT {_VALUES} FROM versions WHERE version = 1 ORDER BY application_id"  # noqa: S608
    frame = connection.execute(latest).df()
    for column in COLUMNS:
        if column.name in CATEGORIES:
            frame[column.name] = pd.Categorical(frame[column.name], categories=list(CATEGORIES[column.name]))
        elif column.dtype != "float64" and not frame[column.name].isna().any():
            frame[column.name] = frame[column.name].astype(np.dtype(column.dtype))
    return frame, {"taken": different, "corrected": different - ids, "duplicates": rows - different}


def _same(frame: pd.DataFrame, path: Path) -> bool:
    try:
        return bool(read_parquet(path).equals(frame))
    except LakeError:
        return False  # not there, or damaged: it is written
