"""The main flight and its report: `python -m oakbank.scale.report FOLDER`."""

import argparse
import json
import multiprocessing
import os
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pandas as pd

from oakbank.pipelines import PipelineBusyError, Registry, folder_lock
from oakbank.scale.bank import FlightError
from oakbank.scale.flight import FlightLog, MonthRecord, flight_code, fly, identity
from oakbank.scale.page import headline, write_report
from oakbank.scale.policy import CARE, NEGLECT, Policy
from oakbank.world import ScenarioError, World, load_scenario
from oakbank.world.files import write_json

MAIN_SCENARIO = "stormy"
MAIN_SEED = 7
SCENARIOS = (
    "calm",
    "data-drift-gradual",
    "data-drift-sudden",
    "recession",
    "stormy",
    "broken-feed-unit",
    "broken-feed-missing",
    "broken-feed-stale",
)
"""Those whose flights tell the policies apart, calm for comparison."""
MEASURED = Path(__file__).with_name("seeds.json")
"""Five seeds of every scenario, as `--seeds` measured them; a test flies one of the seeds again."""
PROCESSES = 2


def main_flight(
    folder: str | Path, scenario: str = MAIN_SCENARIO, seed: int = MAIN_SEED, months: int | None = None
) -> Path:
    """Fly a scenario under both policies, one process each, and write the report.

    Prints a line for each month flown. Interrupted, it goes on where it was; a flight that other code has flown is
    deleted and flown again.

    Args:
        folder: Where the flights and `report.html` go.
        scenario: Name of the scenario.
        seed: Seed of the world.
        months: How many; None: as many as the scenario has.

    Returns:
        The path of the report.

    Raises:
        FlightError, PipelineBusyError: See `oakbank.scale.flight.fly`.
        ScenarioError: There is no such scenario.
    """
    folder, world = Path(folder), World(seed, scenario)
    with folder_lock(folder), _pool() as pool:
        jobs = [pool.submit(_fly_main, world, policy, folder / policy.name, months) for policy in (CARE, NEGLECT)]
        care, neglect = (job.result() for job in jobs)
        table = read_seeds(folder / "seeds.json")
        if table is None:
            table = measured_seeds()
        page = write_report(care, neglect, world.scenario, folder / "report.html", table)
    print(headline(care, neglect), flush=True)
    return page


def fly_seeds(
    folder: str | Path,
    seeds: Sequence[int] = range(5),
    scenarios: Sequence[str] = SCENARIOS,
    applications_per_month: int | None = None,
) -> pd.DataFrame:
    """Fly scenarios under both policies with several seeds; resumes, and writes the table to `FOLDER/seeds.json`.

    Of a flight that has ended only the records are kept.

    Args:
        folder: Where the flights and the table go.
        seeds: Seeds of the worlds.
        scenarios: Names of scenarios.
        applications_per_month: Size of the bank; None: as the scenarios have it.

    Returns:
        One row per scenario and seed: `care`, `neglect`, `oracle` (profit over the flight, EUR), and the size.
    """
    folder = Path(folder)
    with folder_lock(folder / "seeds"), _pool() as pool:
        # A fresh registry costs seconds of database migrations: make one, and give each flight a copy.
        blank = Registry(folder / "seeds" / "blank-registry").folder
        jobs = {}
        for name in scenarios:
            scenario = load_scenario(name)
            if applications_per_month is not None:
                scenario = scenario.model_copy(update={"applications_per_month": applications_per_month})
            for seed in seeds:
                for policy in (CARE, NEGLECT):
                    where = folder / "seeds" / f"{name}-{seed}-{policy.name}"
                    jobs[name, seed, policy.name] = pool.submit(_fly_seed, World(seed, scenario), policy, where, blank)
        rows = []
        for name in scenarios:
            for seed in seeds:
                care, neglect = jobs[name, seed, CARE.name].result(), jobs[name, seed, NEGLECT.name].result()
                rows.append(
                    {
                        "scenario": name,
                        "seed": seed,
                        "applications_per_month": applications_per_month or load_scenario(name).applications_per_month,
                        "neglect": neglect.profit,
                        "care": care.profit,
                        "oracle": care.oracle,
                    }
                )
                print(f"{name}, seed {seed}: {headline(care, neglect)}", flush=True)
        write_json(folder / "seeds.json", {"code": flight_code(), "rows": rows})
        return pd.DataFrame(rows)


def read_seeds(path: Path) -> pd.DataFrame | None:
    """Return the table that `fly_seeds` wrote, or None if it did not, or other code flew it."""
    saved = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return pd.DataFrame(saved["rows"]) if saved.get("code") == flight_code() else None


def measured_seeds() -> pd.DataFrame:
    """Return the table that comes with the course: `fly_seeds` with its defaults, by the code of its day."""
    return pd.DataFrame(json.loads(MEASURED.read_text(encoding="utf-8")))


def _pool() -> ProcessPoolExecutor:
    # Not forked from here: a fork copies the locks of whatever threads the caller has. Where the system can, both are
    # forked from one process without threads, which imports for both.
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    context.set_forkserver_preload([__name__, "mlflow.store.tracking.sqlalchemy_store"])
    return ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Make this process end when the one that started it is killed, so that nobody flies on unseen."""

    def wait() -> None:
        parent = multiprocessing.parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _fly_main(world: World, policy: Policy, folder: Path, months: int | None) -> FlightLog:
    forget_other(world, policy, folder)

    def tell(record: MonthRecord) -> None:
        print(progress(policy.name, record), flush=True)

    return fly(world, policy, folder, months, on_month=tell)


def _fly_seed(world: World, policy: Policy, folder: Path, blank: Path) -> FlightLog:
    forget_other(world, policy, folder)
    if not (folder / "registry").exists():
        copy = folder / "registry.tmp"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(blank, copy)
        copy.rename(folder / "registry")
    log = fly(world, policy, folder)
    for done in ("lake", "school", "training", "registry"):
        shutil.rmtree(folder / done, ignore_errors=True)
    return log


def forget_other(world: World, policy: Policy, folder: Path) -> None:
    """Delete a flight that is not the one wanted: other code has flown it, or another world or policy."""
    path = folder / "flight.json"
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != identity(world, policy):
        with folder_lock(folder):
            for child in folder.iterdir():
                if child.is_dir():
                    shutil.rmtree(child)
                elif child.name not in (".lock", path.name):
                    child.unlink()
            path.unlink()  # last: until all is gone, the folder is known to hold another flight


def progress(name: str, record: MonthRecord) -> str:
    """Return a month in a line."""
    told = [f"feed: {problem}" for problem in record.feed_problems] + (record.reasons or record.alarms)
    if record.trained:
        told.append(f"version {record.trained} {'promoted' if record.promoted else 'refused'}")
    if record.rolled_back:
        told.append(f"version {record.rolled_back} rolled back")
    line = f"{name:8} month {record.month:2}  profit {record.profit / 1e3:+7,.0f} k EUR of {record.oracle / 1e3:5,.0f}"
    return line + (f"  {'; '.join(told)}" if told else "")


def main(arguments: list[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.scale.report", description="fly the main scenario")
    parser.add_argument("folder", type=Path, help="folder of the flights and of report.html, such as build/flight")
    parser.add_argument("--scenario", default=MAIN_SCENARIO, help=f"default: {MAIN_SCENARIO}")
    parser.add_argument("--seed", type=int, default=MAIN_SEED, help=f"seed of the world (default: {MAIN_SEED})")
    parser.add_argument("--months", type=int, default=None, help="months to fly (default: all of the scenario)")
    parser.add_argument("--seeds", action="store_true", help="first fly every scenario with five seeds: many minutes")
    options = parser.parse_args(arguments)
    try:
        if options.seeds:
            fly_seeds(options.folder)
        print(main_flight(options.folder, options.scenario, options.seed, options.months))
    except (FlightError, PipelineBusyError, ScenarioError) as error:
        raise SystemExit(f"error: {error}") from None
    except BrokenProcessPool:
        raise SystemExit("error: a flight's process was killed: start again, it goes on where it was") from None


if __name__ == "__main__":
    main()
