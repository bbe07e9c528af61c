"""The places in which the bank keeps people's data: how each is looked into, and how each is emptied of some of them.

Every `remove` may be called again, and leaves each file as it was or as it shall be.
"""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Protocol

import pandas as pd
from mlflow.entities import LifecycleStage, Run, ViewType

from oakbank.governance.rights.bank import Bank
from oakbank.governance.rights.strip import Owned, People, delete_rows, owned_rows, strip
from oakbank.world.files import whole


class Store(Protocol):
    """A place. `purpose` and `recipients` are what an access request is told (GDPR, art. 15(1)(a) and (c))."""

    @property
    def name(self) -> str:
        """What the receipt calls it."""

    @property
    def purpose(self) -> str:
        """What the data are there for."""

    @property
    def recipients(self) -> str:
        """Who outside of the bank gets them."""

    def find(self, bank: Bank, people: People) -> Owned:
        """Return what it holds of people."""

    def remove(self, bank: Bank, people: People) -> None:
        """Remove it."""


def _in_files(paths: Iterable[Path], people: People) -> Owned:
    return [row for path in paths for row in strip(path.name, path.read_bytes(), people)[0]]


@dataclass(frozen=True)
class Files:
    """Files that are taken apart one by one, see `strip`."""

    name: str
    pattern: str
    purpose: str
    recipients: str = "nobody"

    def find(self, bank: Bank, people: People) -> Owned:
        """Return what the files hold of people."""
        return _in_files(self._paths(bank), people)

    def remove(self, bank: Bank, people: People) -> None:
        """Write each file anew that holds something of people which may not stay."""
        for stale in bank.folder.glob(PurePath(self.pattern).with_name(".*.tmp").as_posix()):
            stale.unlink()  # of a call that was killed
        for path in self._paths(bank):
            content = path.read_bytes()
            _, rest = strip(path.name, content, people)
            if rest is None:
                path.unlink()
            elif rest != content:
                with whole(path) as stream:
                    stream.write(rest)

    def _paths(self, bank: Bank) -> Iterator[Path]:
        found = [path for path in bank.folder.glob(self.pattern) if path.is_file() and path.name[0] != "."]
        yield from sorted(found)


@dataclass(frozen=True)
class Database:
    """An SQLite file; others may have it open."""

    name: str
    file: str
    purpose: str
    recipients: str = "nobody"

    def find(self, bank: Bank, people: People) -> Owned:
        """Return people's rows."""
        path = bank.folder / self.file
        if not path.exists():
            return []
        with closing(sqlite3.connect(path, timeout=60)) as database:
            return owned_rows(database, people)

    def remove(self, bank: Bank, people: People) -> None:
        """Delete people's rows, and what SQLite keeps of deleted ones in the file and in its log."""
        path = bank.folder / self.file
        if not path.exists():
            return
        with closing(sqlite3.connect(path, timeout=60)) as database:
            delete_rows(database, people)
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@dataclass(frozen=True)
class Delta:
    """A Delta table: a deletion writes new files, and the old versions and their statistics stay until they are cut."""

    name: str
    folder: str
    purpose: str
    recipients: str = "nobody"

    def find(self, bank: Bank, people: People) -> Owned:
        """Return people's rows in the files of all versions."""
        path = bank.folder / self.folder
        return _in_files(sorted(path.glob("*.parquet")), people)

    def remove(self, bank: Bank, people: People) -> None:
        """Write the table anew beside the old one, with no version before today's, and let it take its place."""
        from deltalake import DeltaTable, write_deltalake

        path = bank.folder / self.folder
        new, old = path.with_name(path.name + ".new"), path.with_name(path.name + ".old")
        if not path.exists() and new.exists():
            new.rename(path)  # after a kill between the two renames
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        if not self.find(bank, people):
            return
        table: pd.DataFrame = DeltaTable(str(path)).to_pandas()
        kept = table[people.owners(table) == ""].sort_values("application_id").reset_index(drop=True)
        write_deltalake(str(new), kept)
        path.rename(old)
        new.rename(path)
        shutil.rmtree(old)


@dataclass(frozen=True)
class Runs:
    """What the steps of trainings have kept: made from the lake, and made again from it when it is needed."""

    name: str
    folder: str
    purpose: str
    recipients: str = "nobody"

    def find(self, bank: Bank, people: People) -> Owned:
        """Return people's rows in all steps."""
        return [row for run in self._runs(bank) for row in self._in_run(run, people)]

    def remove(self, bank: Bank, people: People) -> None:
        """Delete the runs that saw any of them."""
        for run in self._runs(bank):
            if self._in_run(run, people):
                shutil.rmtree(run)

    def _runs(self, bank: Bank) -> list[Path]:
        return sorted(path for path in (bank.folder / self.folder).glob("*") if path.is_dir())

    @staticmethod
    def _in_run(run: Path, people: People) -> Owned:
        return _in_files(sorted(run.rglob("*.parquet")), people)


@dataclass(frozen=True)
class Tracking:
    """MLflow's runs, those that were deleted too: tables and examples among their artefacts, and their tags."""

    name: str
    purpose: str
    recipients: str = "nobody"

    def find(self, bank: Bank, people: People) -> Owned:
        """Return people's rows in tables and examples, and the tags that name them."""
        found = self._files().find(bank, people)
        found += [(owner, {"run": run.info.run_id, "tag": key}) for run, key, owner in self._tags(bank, people)]
        return found

    def remove(self, bank: Bank, people: People) -> None:
        """Take the rows out, delete the tags, and have SQLite overwrite what was deleted."""
        self._files().remove(bank, people)
        client = bank.registry.client
        for run, key, _ in self._tags(bank, people):
            deleted = run.info.lifecycle_stage == LifecycleStage.DELETED
            if deleted:  # MLflow changes no tag of such a run
                client.restore_run(run.info.run_id)
            client.delete_tag(run.info.run_id, key)
            if deleted:
                client.delete_run(run.info.run_id)
        with closing(sqlite3.connect(bank.registry.folder / "mlflow.db", timeout=60)) as database:
            database.execute("VACUUM")

    @staticmethod
    def _files() -> Files:
        return Files("", "registry/artifacts/**/*.json", "")

    @staticmethod
    def _tags(bank: Bank, people: People) -> list[tuple[Run, str, str]]:
        client = bank.registry.client
        names = {str(one): owner for one, owner in people.by_application.items()} | {n: n for n in people.numbers}
        experiments = [one.experiment_id for one in client.search_experiments(view_type=ViewType.ALL)]
        runs = client.search_runs(experiments, run_view_type=ViewType.ALL)
        return [(run, key, names[value]) for run in runs for key, value in run.data.tags.items() if value in names]


@dataclass(frozen=True)
class Evidence:
    """The personal store beside the audit log: with the salt goes what ties the log's commitment to anybody."""

    name: str
    purpose: str
    recipients: str = "nobody"

    def find(self, bank: Bank, people: People) -> Owned:
        """Return what opens the commitments of people."""
        return [
            (person.number, {"commitment": one.commitment, **one.content})
            for person in people.persons
            for one in bank.personal.about(person.number)
        ]

    def remove(self, bank: Bank, people: People) -> None:
        """Delete data and salts."""
        for person in people.persons:
            bank.personal.erase(person.number)


CONTRACTS = "customers"
"""The store that the law may keep."""
STORES: tuple[Store, ...] = (
    Files("logs", "logs/*", "to find faults of the intake"),
    Files("quarantine", "quarantine/*.jsonl", "to have a broken delivery sent again"),
    Files("features", "features/*.parquet", "to score applications"),
    Delta("analysts' table", "delta/decisions", "to analyse decisions"),
    Runs("training runs", "runs", "to train the model"),
    Tracking("tracking store", "to compare models"),
    Database("decisions", "decisions.db", "to decide and to send letters"),
    Files("letters", "letters/*", "to tell people the decision", "the person, by the post"),
    Files("lake", "lake/*/*.parquet", "to train and to watch the model", "the credit bureau, of outcomes"),
    Files("backups", "backups/*.zip", "to restore the bank after a loss"),
    Evidence("evidence", "to show what was decided and why"),
    Database(CONTRACTS, "customers.db", "to keep the contract", "the credit bureau, by which number"),
)
"""In the order in which they are emptied: what says whose an application is, comes last."""
