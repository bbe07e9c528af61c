"""The flight simulator: a bank lives through a scenario month by month, under a policy, and its books are kept."""

import hashlib
import importlib
import json
import operator
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from oakbank.pipelines import folder_lock
from oakbank.scale.bank import Bank, FlightError
from oakbank.scale.month import Month, State
from oakbank.scale.policy import Policy
from oakbank.world import Feed, World
from oakbank.world.files import write_json

PACKAGES = ("world", "pipelines", "deploy", "governance", "scale")


@dataclass(frozen=True)
class MonthRecord:
    """One month in the books. EUR; rates are shares. The first six lines after the version are the world's truth."""

    month: int
    version: str
    """Version of the model that decided."""
    profit: float
    """What the loans granted this month will earn."""
    oracle: float
    """What the loans would earn, had exactly those been granted that are worth it at their true risk."""
    default_rate: float
    """Share of the loans granted this month that will default."""
    approval_rate: float
    approval_by_group: dict[str, float]
    events: list[str]
    """What happens to the world this month."""
    feed_problems: list[str]
    drift: float | None
    """Largest stability index (PSI) of a column that is not broken; None: not measured."""
    drifted: list[str]
    realised: float | None
    """Default rate of the loans whose outcome became known this month; None: not measured."""
    predicted: float | None
    """What the month's model says of those loans."""
    alarms: list[str]
    reasons: list[str]
    held: str
    trained: str | None
    refused: list[str]
    rolled_back: str | None
    state: State
    """What the next month must know."""

    @property
    def promoted(self) -> str | None:
        """Version that became the champion at the end of the month."""
        return self.trained if self.trained is not None and not self.refused else None


@dataclass(frozen=True)
class FlightLog:
    """A flight, as far as it was flown."""

    folder: Path
    seed: int
    scenario: str
    policy: str
    months: list[MonthRecord]

    @property
    def profit(self) -> float:
        """EUR over all months."""
        return round(sum(record.profit for record in self.months), 2)

    @property
    def oracle(self) -> float:
        """EUR over all months, of whoever knew the true risks."""
        return round(sum(record.oracle for record in self.months), 2)

    def frame(self) -> pd.DataFrame:
        """Return the records as a data frame, one row per month."""
        return pd.DataFrame([asdict(record) for record in self.months]).set_index("month")


def fly(
    world: World,
    policy: Policy,
    folder: str | Path,
    months: int | None = None,
    on_month: Callable[[MonthRecord], None] | None = None,
) -> FlightLog:
    """Let a bank live through a world, and go on where an earlier call in the same folder was interrupted.

    Each month ends with its record, written whole or not at all. Everything before the record gives the same when
    done again, so a kill at any moment loses nothing and doubles nothing.

    Args:
        world: The world.
        policy: How the bank treats its model.
        folder: Folder of the flight: lake, registry, audit log, records.
        months: How many months to fly; None: as many as the scenario has. A later call may fly on.
        on_month: Called with the record of each month flown in this call.

    Raises:
        FlightError: The folder holds another flight, the first model does not pass, or the disk refuses a file.
        PipelineBusyError: Another process flies in this folder.
    """
    folder = Path(folder)
    months = world.scenario.months if months is None else operator.index(months)
    try:
        with folder_lock(folder):
            _claim(world, policy, folder)
            records = _recorded(folder)
            if len(records) < months:
                bank = Bank(Feed(world), policy, folder)
                state = records[-1].state if records else bank.found()
                for month in range(len(records), months):
                    today, state = bank.live(month, state)
                    record = _book(world, today, state)
                    write_json(_path(folder, month), asdict(record))
                    records.append(record)
                    if on_month is not None:
                        on_month(record)
            return FlightLog(folder, world.seed, world.scenario.name, policy.name, records[:months])
    except Exception as error:
        from mlflow.exceptions import MlflowException  # late: MLflow takes seconds to import

        if not isinstance(error, OSError | MlflowException):
            raise
        raise FlightError(
            f"the flight in {folder} stopped: {error}; put that right and start it again: nothing flown is lost"
        ) from error


def flight_code() -> str:
    """Return the sha256 of all of the bank's code: a flight is flown by one code from start to end."""
    digest = hashlib.sha256()
    for name in PACKAGES:
        package = Path(str(importlib.import_module(f"oakbank.{name}").__file__)).parent
        for path in sorted(package.glob("*.py")):
            digest.update(f"{name}/{path.name}\0".encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def identity(world: World, policy: Policy) -> dict[str, object]:
    """Return what makes a flight the one it is, as JSON."""
    scenario = world.scenario.model_dump(mode="json")
    return {"seed": world.seed, "scenario": scenario, "policy": asdict(policy), "code": flight_code()}


def _claim(world: World, policy: Policy, folder: Path) -> None:
    path, wanted = folder / "flight.json", identity(world, policy)
    if not path.exists():
        write_json(path, wanted)
        return
    found = json.loads(path.read_text(encoding="utf-8"))
    if other := [name for name, value in wanted.items() if found.get(name) != value]:
        raise FlightError(
            f"{folder} holds a flight of another {' and '.join(other)}: choose an empty folder, or delete this one"
        )


def _path(folder: Path, month: int) -> Path:
    return folder / "months" / f"month={month:+04d}.json"


def _recorded(folder: Path) -> list[MonthRecord]:
    records: list[MonthRecord] = []
    while (path := _path(folder, len(records))).exists():
        saved = json.loads(path.read_text(encoding="utf-8"))
        records.append(MonthRecord(**saved | {"state": State(**saved["state"])}))
    return records


def _book(world: World, today: Month, state: State) -> MonthRecord:
    """Write a month into the books, with the truth that the bank cannot see."""
    truth = world.truth(today.month).set_index("application_id")
    granted = today.decisions.set_index("application_id")["granted"].reindex(truth.index, fill_value=False)
    loans = truth[granted.to_numpy(dtype=bool)]
    by_group = granted.groupby(truth["group"].astype(str)).mean()
    broken = {problem.column for problem in today.feed_problems}
    drift, performance = today.drift, today.performance
    return MonthRecord(
        month=today.month,
        version=today.version,
        profit=round(float(loans["profit_if_granted"].sum()), 2),
        oracle=round(float(truth.loc[truth["expected_profit"] > 0, "profit_if_granted"].sum()), 2),
        default_rate=float(loans["would_default"].mean()) if len(loans) else 0.0,
        approval_rate=float(granted.mean()),
        approval_by_group={str(name): float(rate) for name, rate in by_group.items()},
        events=[f"{event['kind']}" for event in world.scenario.truth(today.month)],
        feed_problems=[f"{p.column}: {p.detail}" for p in today.feed_problems],
        drift=None
        if drift is None
        else max((c.psi for c in drift.columns.values() if c.column not in broken), default=0.0),
        drifted=[] if drift is None else drift.drifted,
        realised=None if performance is None else performance.default_rate,
        predicted=None if performance is None else performance.mean_probability,
        alarms=today.alarms,
        reasons=today.reasons,
        held=today.held,
        trained=today.trained,
        refused=today.refused,
        rolled_back=today.rolled_back,
        state=state,
    )
