"""A small bank with the places in which a person ends up, as banks have them: what `erase` must reach.

Each of them is written as its own tool writes it: Parquet, Delta, SQLite, MLflow's runs, JSON lines and their gzip,
letters as text files, backups as zip.
"""

import gzip
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oakbank.deploy.batch import REVIEW, ScoredMonth
from oakbank.deploy.store import DecisionStore, content_of
from oakbank.governance.audit import AuditLog, Draft
from oakbank.governance.personal import PersonalStore
from oakbank.governance.rights.people import Customers, customer_of
from oakbank.governance.tracked import TrackedBank
from oakbank.pipelines import TrainingRun, bad_rows, build_features
from oakbank.world import World, publish_history, publish_month, publish_outcomes
from oakbank.world.files import whole, write_text
from oakbank.world.lake import write_parquet

KEPT_AFTER_CONTRACT = 60
"""Months: Directive (EU) 2015/849, art. 40(1): five years after the end of a business relationship."""
NOTEBOOK = "notebook"
"""The experiment of a data scientist."""
EXAMPLES = 5
"""Rows of the `input_example` that a data scientist logs with a model."""
_ZIP_DAY = (2024, 1, 1, 0, 0, 0)


class Bank(TrackedBank):
    """Everything below one folder.

    | place | what of a person |
    |---|---|
    | `customers.db` | name, e-mail, which applications: the file of the contract |
    | `lake/` | applications, decisions, outcomes by month |
    | `quarantine/` | first deliveries that broke the contract, as JSON lines |
    | `features/` | what the model saw, by month |
    | `delta/decisions/` | decisions for the analysts, a Delta table with its old versions |
    | `decisions.db` | decisions and the outbox of letters, SQLite |
    | `letters/` | a table a month, and each letter as text |
    | `logs/` | one JSON a line; older months as gzip |
    | `runs/` | what the steps of a training kept |
    | `registry/` | MLflow: models, runs, `input_example`, a table of the worst predictions |
    | `backups/` | zip files of lake, register and letters |
    | `personal.db`, `audit.jsonl` | evidence of decisions, and its commitments |

    Args:
        folder: The bank's folder.
    """

    def __init__(self, folder: str | Path) -> None:
        super().__init__(folder)
        self.customers = Customers(self.folder / "customers.db")
        self.personal = PersonalStore(self.folder / "personal.db")
        self.audit = AuditLog(self.folder / "audit.jsonl")

    def open(self, world: World, months: int) -> None:
        """Publish the history, train, decide `months` months with their outcomes, back up, and train again.

        Args:
            world: Whose applicants; a `Without` leaves some out.
            months: How many from month 0, at least 1.
        """
        publish_history(world, self.lake)
        first = -world.scenario.history_months
        for month in range(first, 0):
            self._register(month, month - first)
            self._note_contracts(month)
        version = self.learn(0)
        for month in range(months):
            publish_month(world, self.lake, month)
            self._register(month, month - first)
            self._quarantine(month)
            self._log(month)
            self.decide(month, version)
            publish_outcomes(world, self.lake, month)
            self.back_up(month)
        self.learn(months)

    def learn(self, as_of: int) -> str:
        """Train, register, promote, and log the model as a data scientist does; returns the version."""
        run = self.train(as_of)
        assert run.version is not None  # it was registered
        self._experiment(run)
        self.registry.set_alias("champion", run.version)
        self.audit.append("train", "pipeline", when=as_of, key=f"train-{run.version}", version=run.version)
        return run.version

    def decide(self, month: int, version: str) -> ScoredMonth:
        """Decide a month, write letters, features, the analysts' table and the evidence for the audit log."""
        scored = super().decide(month, version)
        decisions, applications = scored.decisions, self.lake.read("applications", [month])
        features = build_features(applications).assign(application_id=applications["application_id"])
        write_parquet(features, self.folder / "features" / f"month={month:+04d}.parquet")
        self._to_delta(decisions)
        store = DecisionStore(self.folder / "decisions.db")
        store.write(decisions, [content_of(row) for row in _records(applications)])
        store.close()
        self._note_contracts(month)
        self._write_letters(month, decisions)
        self._keep_evidence(month, decisions)
        return scored

    def _register(self, month: int, months_before: int) -> None:
        ids = self.lake.read("applications", [month])["application_id"].tolist()
        self.customers.register([(one, month, customer_of(one, months_before)) for one in ids])

    def _note_contracts(self, month: int) -> None:
        rows = self.lake.read("applications", [month]).merge(
            self.lake.read("decisions", [month]), "left", "application_id"
        )
        until = month + rows["term"] + KEPT_AFTER_CONTRACT
        granted = rows["granted"]
        self.customers.grant(
            list(zip(rows.loc[granted, "application_id"].tolist(), until[granted].tolist(), strict=True))
        )

    def _quarantine(self, month: int) -> None:
        """Of one applicant in twenty the first delivery had no amount: it was put aside, and came again."""
        rows = self.lake.read("applications", [month])
        broken = rows[rows["application_id"] % 20 == 0].assign(amount=np.nan)
        broken = broken.assign(reason=bad_rows(broken))
        text = broken.to_json(orient="records", lines=True, date_format="iso") if len(broken) else ""
        write_text(self.folder / "quarantine" / f"month={month:+04d}.jsonl", text)

    def _log(self, month: int) -> None:
        """The intake of a supplier's program logs what it should not: who applied."""
        ids, owners = self.lake.read("applications", [month])["application_id"].tolist(), self.customers.owners()
        lines = [json.dumps({"event": "received", "customer": owners[one], "application": one}) + "\n" for one in ids]
        path = self.folder / "logs" / f"intake-{month:+04d}.jsonl"
        write_text(path, "".join(lines))
        older = path.with_name(f"intake-{month - 1:+04d}.jsonl")
        if older.exists():  # rotated
            with whole(older.with_name(older.name + ".gz")) as stream:
                stream.write(gzip.compress(older.read_bytes(), mtime=0))
            older.unlink()

    def _to_delta(self, decisions: pd.DataFrame) -> None:
        from deltalake import write_deltalake

        path = self.folder / "delta" / "decisions"
        path.parent.mkdir(exist_ok=True)
        write_deltalake(str(path), decisions, mode="append")

    def _write_letters(self, month: int, decisions: pd.DataFrame) -> None:
        owners, people = self.customers.owners(), {one.number: one for one in self.customers.all()}
        texts = []
        for one, granted in zip(decisions["application_id"].tolist(), decisions["granted"], strict=True):
            who = people[owners[one]]
            said = "We grant your loan." if granted else "We cannot grant your loan."
            text = f"To {who.name} <{who.email}>\nApplication {one}\n\nDear {who.name},\n{said}\nOakbank\n"
            texts.append((f"{one}.txt", text.encode()))
        _write_zip(self.folder / "letters" / f"texts{month:+04d}.zip", texts)

    def _keep_evidence(self, month: int, decisions: pd.DataFrame) -> None:
        owners = self.customers.owners()
        told = _records(decisions[~decisions["reason"].str.startswith(REVIEW)])
        kept = [(f"decision-{row['application_id']}", owners[row["application_id"]], row) for row in told]
        codes = self.personal.keep_many(kept)
        drafts = [
            Draft("decide", "batch job", month, code, {"granted": bool(row["granted"])})
            for code, row in sorted(zip(codes, told, strict=True), key=lambda pair: pair[0])
        ]
        self.audit.append_many(drafts)

    def _experiment(self, run: TrainingRun) -> None:
        """Log to MLflow what a notebook logs: the model with an example of its input, and its worst predictions."""
        import mlflow
        import mlflow.lightgbm

        held, model = run.holdout(), run.candidate()
        client = self.registry.client
        example = build_features(held.head(EXAMPLES))
        wrong = np.abs(model.predict(held) - held["defaulted"])
        worst = held.assign(error=wrong).nlargest(20, "error").drop(columns="applied_on")
        mlflow.set_tracking_uri(self.registry.tracking_uri)
        found = client.get_experiment_by_name(NOTEBOOK)
        experiment = (
            found.experiment_id
            if found
            else client.create_experiment(NOTEBOOK, (self.registry.folder / "artifacts").as_uri())
        )
        if client.search_runs([experiment], f"tags.version = '{run.version}' and attributes.status = 'FINISHED'"):
            return
        with mlflow.start_run(experiment_id=experiment):
            environment = {"name": "notebook", "dependencies": ["python"]}  # naming it spares MLflow a guess of seconds
            mlflow.lightgbm.log_model(model.booster, name="model", input_example=example, conda_env=environment)
            mlflow.log_table(worst, "worst.json")
            mlflow.set_tags({"version": run.version, "worst": str(worst["application_id"].iloc[0])})

    def back_up(self, month: int) -> Path:
        """Write a zip of lake, register and letters as they are."""
        path = self.folder / "backups" / f"month={month:+04d}.zip"
        files = [self.customers.path, *sorted((self.folder / "lake").rglob("*.parquet"))]
        files += sorted((self.folder / "letters").rglob("*.csv"))
        _write_zip(path, ((file.relative_to(self.folder).as_posix(), file.read_bytes()) for file in files))
        return path


def _write_zip(path: Path, members: Iterable[tuple[str, bytes]]) -> None:
    """Write an archive whole or not at all, the same bytes whenever it is written."""
    with whole(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DAY), content)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


class Without(World):
    """The same world, in which some people never applied."""

    def __init__(self, world: World, applications: Iterable[int]) -> None:
        super().__init__(world.seed, world.scenario)
        self.left_out = frozenset(applications)

    def __reduce__(self) -> tuple[type[World], tuple[Any, ...]]:
        return Without, (World(self.seed, self.scenario), self.left_out)

    def applications(self, month: int) -> pd.DataFrame:
        """Return the applications of a month but for theirs."""
        return self._others(super().applications(month))

    def officer_decisions(self, month: int) -> pd.DataFrame:
        """Return what the officers decided of the others; nobody's luck changes."""
        return self._others(super().officer_decisions(month))

    def _others(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[~table["application_id"].isin(self.left_out)].reset_index(drop=True)
