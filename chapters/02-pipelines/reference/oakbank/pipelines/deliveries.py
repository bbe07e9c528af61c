"""The world's applications as three suppliers deliver them, with everything that goes wrong on the way, and its truth.

Each week each supplier sends one file: the portal Parquet, the branches CSV with the columns in another order, the
brokers CSV with columns of their own and no month. Rows come late, twice, wrong and corrected later, or broken; files
come again under another name, or cut off and whole the day after.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oakbank.world import CATEGORIES, World
from oakbank.world.scenario import FIRST_ID_MONTH
from oakbank.world.simulator import FIRST_MONTH

SOURCES = {"portal": ("web", "aggregator"), "branch": ("branch",), "broker": ("broker",)}
"""Which channels each supplier delivers."""
SHARES = {"late": 0.06, "wrong": 0.02, "twice": 0.02, "mended": 0.007, "broken": 0.005}
"""How many of a hundred applications meet each fate: late is drawn beside the others, of which one has at most one."""
FAULTS: tuple[tuple[str, Any, str], ...] = (
    ("income", None, "income is missing"),
    ("age", 17, "age is below 18 years"),
    ("employment", "selfemployed", "employment is not one of its categories"),
    ("bureau_score", 9999.0, "bureau_score is above 850 points"),
    ("applied_on", "30.02.2024", "applied_on is not a date"),
)
"""Column and value of a broken row, and the reason that the contract gives."""
_AS_IS, _WRONG, _BROKEN = 0, 1, 2
_AGAIN_AFTER = 16  # days, so that corrections lie between a file and its second coming


@dataclass(frozen=True)
class DeliveryTruth:
    """What was put into the landing folder, and so what an intake must find."""

    names: tuple[str, ...]
    """All files, in the order in which they were sent, which is that of their names."""
    refused: tuple[str, ...]
    """Files that are cut off; each is sent again, whole."""
    again: dict[str, str]
    """Files that bring nothing new, and the file whose bytes they are."""
    delivered: int
    """Rows in all files but those cut off; `taken + duplicates + the sum of reasons`."""
    taken: int
    corrected: int
    """Applications that come with a wrong amount first, twice or half of what it is, and right later."""
    duplicates: int
    late: int
    """Applications that arrive a week or more after their own week's file."""
    reasons: dict[str, int]
    lost: frozenset[int]
    """Ids of applications that arrive broken and are never mended."""

    def lake(self, world: World, month: int) -> pd.DataFrame:
        """Return the month as the lake must hold it when all has been taken in."""
        frame = world.applications(month)
        return frame[~frame["application_id"].isin(self.lost)].reset_index(drop=True)


def deliveries(world: World, months: Iterable[int], folder: str | Path, seed: int = 0) -> DeliveryTruth:
    """Write the deliveries of some months into a folder, `YYYY-MM-DD-SOURCE.csv` or `.parquet`, the day is of sending.

    Args:
        world: Whose applications are delivered; its feed must be whole (no missing or unknown column).
        months: Months of application, in a row. What is late comes after the last of them.
        folder: The landing zone; it is made.
        seed: Of what goes wrong. The same world, months and seed give the same files.
    """
    folder, months = Path(folder), sorted(months)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.Generator(np.random.PCG64([seed, world.seed, months[0] - FIRST_ID_MONTH, len(months)]))
    rows = pd.concat([world.applications(month) for month in months], ignore_index=True)
    sends, late, lost = _plan(rows, months[0], rng)
    source = rows["channel"].map({c: name for name, channels in SOURCES.items() for c in channels}).astype(str)
    sends["source"] = source.to_numpy()[sends["at"]]

    parts = [part for _, part in sends.groupby(["week", "source"])]
    files = [(int(part["week"].iloc[0]), str(part["source"].iloc[0]), part) for part in parts]
    fate = _fates([name for _, name, _ in files], rng)
    names: list[str] = []
    refused: list[str] = []
    again: dict[str, str] = {}
    repeated = 0
    for (week, name, part), what in zip(files, fate, strict=True):
        day = _sent_on(months[0], week)
        suffix = "parquet" if name == "portal" else "csv"
        path = folder / f"{day + (what == 'cut')}-{name}.{suffix}"
        _write(path, name, _as_sent(rows, part, rng), rng)
        names.append(path.name)
        if what == "cut":
            refused.append(f"{day}-{name}.{suffix}")
            (folder / refused[-1]).write_bytes(_cut_off(path.read_bytes()))
        elif what == "again":
            copy = folder / f"{day + _AGAIN_AFTER}-{name}-again.{suffix}"
            copy.write_bytes(path.read_bytes())
            again[copy.name] = path.name
            repeated += len(part)
    broken = sends[sends["kind"] == _BROKEN]
    counts = np.bincount(broken["fault"], minlength=len(FAULTS))
    reasons = {reason: int(count) for (_, _, reason), count in zip(FAULTS, counts, strict=True) if count}
    wrong = int((sends["kind"] == _WRONG).sum())
    twice = int(sends["twice"].sum())
    return DeliveryTruth(
        names=tuple(sorted([*names, *refused, *again])),
        refused=tuple(refused),
        again=again,
        delivered=len(sends) + repeated,
        taken=len(sends) - twice - len(broken),
        corrected=wrong,
        duplicates=twice + repeated,
        late=late,
        reasons=reasons,
        lost=lost,
    )


def _plan(rows: pd.DataFrame, first: int, rng: np.random.Generator) -> tuple[pd.DataFrame, int, frozenset[int]]:
    """Return which row is sent in which week and how, how many are late, and the ids that are lost."""
    n = len(rows)
    week = (rows["month"].to_numpy() - first) * 4 + (rows["applied_on"].dt.day.to_numpy() - 1) // 7
    late = rng.random(n) < SHARES["late"]
    week = week + late * np.minimum(rng.geometric(0.4, n), 8)
    edges = np.cumsum([SHARES[name] for name in ("wrong", "twice", "mended", "broken")])
    fate = np.searchsorted(edges, rng.random(n), side="right")  # 4: nothing
    fault, wait = rng.integers(0, len(FAULTS), n), rng.integers(1, 3, n)
    kind = np.select([fate == 0, (fate == 2) | (fate == 3)], [_WRONG, _BROKEN], _AS_IS)
    at = np.arange(n)
    first_sends = pd.DataFrame({"at": at, "week": week, "kind": kind, "fault": fault, "twice": False})
    more = fate <= 2  # the same row again in the same file; or the right one some weeks later
    second = first_sends[more].assign(week=(week + wait * (fate != 1))[more], kind=_AS_IS, twice=(fate == 1)[more])
    sends = pd.concat([first_sends, second], ignore_index=True).sort_values(["week", "at"], kind="stable")
    return sends, int(late.sum()), frozenset(rows["application_id"][fate == 3].tolist())


def _sent_on(first: int, week: int) -> np.datetime64:
    """Return the day on which a week's file is sent: 8th, 15th, 22nd or 29th, for applications come in on 28 days."""
    month, quarter = divmod(week, 4)
    day: np.datetime64 = (FIRST_MONTH + first + month).astype("datetime64[D]") + 7 * (quarter + 1)
    return day


def _cut_off(content: bytes) -> bytes:
    """Return the beginning of a file, never up to the end of a row: that would show in nothing but a count."""
    end = len(content) * 3 // 5
    while content[end - 1 : end] in (b"\n", b"\r"):
        end -= 1
    return content[:end]


def _fates(sources: list[str], rng: np.random.Generator) -> list[str]:
    """Return what happens to each file: some come again, some CSV files are cut off (each at least once)."""
    drawn = rng.random(len(sources))
    fates = np.where(drawn < 0.1, "again", "")
    csv = np.flatnonzero(np.array(sources) != "portal")
    fates[csv[drawn[csv] > 0.96]] = "cut"
    fates[csv[rng.integers(len(csv))]] = "cut"
    fates[rng.choice(np.flatnonzero(fates != "cut"))] = "again"
    return [str(fate) for fate in fates]


def _as_sent(rows: pd.DataFrame, part: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows of one file with what is wrong in them; columns with a broken cell hold objects."""
    sent = rows.iloc[part["at"]].reset_index(drop=True)
    kind, fault = part["kind"].to_numpy(), part["fault"].to_numpy()
    amount = sent["amount"].to_numpy()
    sent["amount"] = np.where(kind == _WRONG, np.where(amount > 30_000, amount / 2, amount * 2), amount)
    for number, (column, value, _) in enumerate(FAULTS):
        hit = (kind == _BROKEN) & (fault == number)
        if hit.any():
            cells = sent[column].dt.strftime("%Y-%m-%d") if column == "applied_on" else sent[column]
            sent[column] = np.where(hit, value, cells.astype(object))
    return sent


def _write(path: Path, source: str, sent: pd.DataFrame, rng: np.random.Generator) -> None:
    """Write a file in the way of its source."""
    if source == "portal":
        text = {name: sent[name].astype(object) for name in CATEGORIES}
        numbers = {name: pd.to_numeric(sent[name]) for name in ("age", "income", "bureau_score")}
        sent.assign(**text, **numbers).to_parquet(path, index=False)
        return
    if source == "branch":
        day = pd.to_datetime(sent["applied_on"], errors="coerce").dt.strftime("%Y-%m-%dT00:00:00")
        sent = sent.assign(age=sent["age"].astype(float), applied_on=day.fillna(sent["applied_on"].astype(str)))
        sent = sent[sent.columns[::-1]]
    else:
        campaign = rng.choice(["spring", "cashback", "friends"], len(sent))
        sent = sent.drop(columns="month").assign(campaign=campaign, agent=rng.integers(100, 999, len(sent)))
    path.write_bytes(sent.to_csv(index=False, na_rep="n/a", lineterminator="\n").encode())
