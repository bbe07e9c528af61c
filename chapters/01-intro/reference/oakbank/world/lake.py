"""The bank's data lake: one Parquet file per kind and month, each written whole or not at all."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from oakbank.world.files import whole
from oakbank.world.schema import DECISIONS, OFFICERS, table_of
from oakbank.world.simulator import World

Kind = Literal["applications", "decisions", "outcomes"]


class LakeError(RuntimeError):
    """Data that is not there or cannot be read; the message names the file and what to do."""


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a data frame whole or not at all (see `oakbank.world.files.whole`).

    The bytes depend on the content and the versions of pandas and pyarrow alone.

    Raises:
        OSError: The disk is full or the folder cannot be written; the old file stays, no temporary file is left.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with whole(path) as stream:
        pq.write_table(table, stream, compression="zstd", write_page_checksum=True)


def read_parquet(path: Path) -> pd.DataFrame:
    """Read one Parquet file.

    Raises:
        LakeError: The file is missing, truncated, corrupt (each page has a checksum) or not Parquet.
        OSError: The file is there but may not be read; the message names it.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise LakeError(f"{path} is missing: publish that month first") from None
    try:
        # By content, not by folder name: pyarrow would read `month=3` in a path as a partition column.
        table = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True).read()
        frame: pd.DataFrame = table.to_pandas()
    except (OSError, ValueError, LookupError, TypeError, NotImplementedError) as error:
        # What pyarrow and pandas raise on damaged bytes; no file is opened here, so it is never a matter of the disk.
        raise LakeError(
            f"{path} cannot be read ({error}): it is truncated or not Parquet; delete it and publish that month again"
        ) from error
    return frame


class Lake:
    """A folder of Parquet files, `KIND/month=MM.parquet`. Kinds: applications, decisions, outcomes.

    `outcomes` files are named by the month in which they became known, the others by the month of application.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path(self, kind: Kind, month: int) -> Path:
        """Return where a month of a kind is kept."""
        self._check(kind)
        return self.folder / kind / f"month={month:+04d}.parquet"

    def months(self, kind: Kind) -> list[int]:
        """Return the months that are there, in order.

        Raises:
            LakeError: A file is there whose name is not one the lake gives.
        """
        self._check(kind)
        found = []
        for path in (self.folder / kind).glob("month=*.parquet"):
            if not re.fullmatch(r"month=[+-]\d{3,}\.parquet", path.name):
                raise LakeError(f"{path} is not a month of {kind} (month=+003.parquet is): move it out of the lake")
            found.append(int(path.stem.removeprefix("month=")))
        return sorted(found)

    def _check(self, kind: str) -> None:
        if kind not in get_args(Kind):
            raise LakeError(f"the lake holds no {kind!r}: choose one of {', '.join(get_args(Kind))}")

    def write(self, kind: Kind, month: int, frame: pd.DataFrame) -> Path:
        """Write one month, replacing it whole; returns its path."""
        path = self.path(kind, month)
        write_parquet(frame, path)
        return path

    def read(self, kind: Kind, months: Iterable[int]) -> pd.DataFrame:
        """Return the named months in order, one data frame.

        Months that differ in their columns keep all of them: a column that a broken feed left out is NaN there.

        Raises:
            LakeError: A month is missing or cannot be read, or no month was named.
        """
        frames = [read_parquet(self.path(kind, month)) for month in months]
        if not frames:
            raise LakeError(f"no months of {kind} asked for in {self.folder}")
        return pd.concat(frames, ignore_index=True)


def publish_month(world: World, lake: Lake, month: int) -> Path:
    """Write the applications of `month` as the feed delivers them."""
    return lake.write("applications", month, world.applications(month))


def publish_outcomes(world: World, lake: Lake, month: int) -> Path:
    """Write the outcomes that become known in `month`, for the loans that the lake's decisions granted.

    Raises:
        LakeError: There are no decisions for the month of application.
    """
    decisions = lake.read("decisions", [month - world.scenario.label_delay])
    granted = decisions.loc[decisions["granted"], "application_id"]
    return lake.write("outcomes", month, world.outcomes(month, granted))


def publish_history(world: World, lake: Lake) -> None:
    """Write the bank's past, the months before month 0.

    These are the applications, what the officers decided, and the outcomes known before month 0.
    """
    first = -world.scenario.history_months
    for month in range(first, 0):
        publish_month(world, lake, month)
        decided = {
            **world.officer_decisions(month),
            "default_probability": np.nan,
            "model_version": OFFICERS,
            "month": month,
            "reason": "",
        }
        lake.write("decisions", month, table_of(DECISIONS, decided))
    for month in range(first + world.scenario.label_delay, 0):
        publish_outcomes(world, lake, month)
