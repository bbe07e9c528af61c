"""What a bank's records say as of a day: which model decided then, who signed for it, what was measured on which data.

Nothing here is made up where a record lacks: it raises, and the report shows the message in red.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy.exc import SQLAlchemyError

from oakbank.deploy.exclusive import reachable
from oakbank.deploy.record import month_of
from oakbank.governance.audit import AuditError, AuditLog, Entry, Verification
from oakbank.governance.duties import DutyError
from oakbank.governance.events import Content, EventError
from oakbank.governance.graph import JobRun, LineageGraph
from oakbank.governance.lineage import PROMOTE
from oakbank.governance.merkle import Frontier, TreeHead, leaf_hash
from oakbank.governance.reasons import ReasonsError
from oakbank.governance.roles import Staff, unsigned
from oakbank.pipelines import Registry, RegistryError
from oakbank.world import PROTECTED, Lake, LakeError
from oakbank.world.files import file_hash

ROLLBACK = "rollback"


class RecordError(LookupError):
    """A record that is not there or does not hold; the message says which, and what it was needed for."""


FAULTS = (RecordError, RegistryError, LakeError, AuditError, EventError, ReasonsError, DutyError, OSError)
"""What a record that lacks or is damaged raises."""


@dataclass(frozen=True)
class Deployed:
    """The model that decided on a day, as log and registry tell it."""

    name: str
    version: str
    promoted: Entry
    trained: Entry | None
    tags: Mapping[str, str]
    run_id: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    data: tuple[tuple[str, str], ...]
    """Data sets of the run: name and context, and the digest that MLflow keeps."""
    artifacts: str
    """URI of the folder with the run's files."""


class Records:
    """The records of a bank in one folder: `audit.jsonl`, `registry/`, `lake/`, `events.jsonl` (see `TrackedBank`).

    Args:
        folder: The bank's folder.
        as_of: The day. What is dated later is not looked at.
        staff: Who may sign, to check the log's signatures.
        head: Head of the audit log that somebody else keeps, see `AuditLog.verify`.
    """

    def __init__(
        self, folder: Path, as_of: date, staff: Staff | None = None, head: TreeHead | str | None = None
    ) -> None:
        self.folder, self.as_of, self.staff, self.head = folder, as_of, staff, head
        self.month = month_of(as_of)
        self.audit, self.lake = AuditLog(folder / "audit.jsonl"), Lake(folder / "lake")

    @cached_property
    def registry(self) -> Registry:
        """The registry.

        Raises:
            RegistryError: There is none.
            RecordError: Its database is none.
        """
        with _database(self.folder / "registry"):
            return Registry(self.folder / "registry", create=False)

    @cached_property
    def verification(self) -> Verification:
        """Whether the log holds, today. Raises RecordError where there is none."""
        if not self.audit.path.is_file():
            raise RecordError(f"there is no audit log ({self.audit.path.name}), so nobody signed for anything")
        return self.audit.verify(self.head)

    @cached_property
    def entries(self) -> list[Entry]:
        """The log's entries until the day: all before the first that is dated later.

        Raises:
            RecordError: There is no log, or it does not hold: then nothing is quoted from it.
        """
        if not self.verification.ok:
            raise RecordError(f"the audit log does not hold, so nothing is quoted from it: {self.verification.detail}")
        found = []
        for entry in self.audit:
            if entry.when is not None and entry.when > self.month:
                break
            found.append(entry)
        return found

    def tree_head(self) -> TreeHead:
        """Return the head of the log as it was on the day."""
        return Frontier(leaf_hash(entry.line()) for entry in self.entries).head()

    def changes(self) -> list[Entry]:
        """Return the entries that say how the system changed: trainings, promotions, rollbacks."""
        return [entry for entry in self.entries if entry.kind in ("train", PROMOTE, ROLLBACK)]

    def unsigned(self) -> dict[int, str]:
        """Return what is wrong with signatures, by the place of the entry.

        Raises:
            RecordError: There is no list of staff to check against.
        """
        if self.staff is None:
            raise RecordError("signatures were not checked: give `staff`, the list of who may sign")
        return dict(unsigned(self.audit, self.staff)) if self.entries else {}

    @cached_property
    def deployed(self) -> Deployed:
        """The model that decided on the day: the last promoted version that was not taken back.

        Raises:
            RecordError: No version was promoted by then.
            RegistryError: The registry does not know it, or cannot be read.
        """
        gone = {str(entry.payload.get("version")) for entry in self.entries if entry.kind == ROLLBACK}
        promoted = [entry for entry in self.entries if entry.kind == PROMOTE]
        standing = [entry for entry in promoted if str(entry.payload.get("version")) not in gone]
        if not standing:
            raise RecordError(f"no model decided on {self.as_of}: the audit log has no promotion by then that stands")
        version = str(standing[-1].payload.get("version"))
        made = [e for e in self.entries if e.kind == "train" and str(e.payload.get("version")) == version]
        registry = self.registry
        with _database(registry.folder), reachable(registry):
            tags, run_id = registry.tags(version), registry.run_id(version)
            run = registry.client.get_run(run_id)
        return Deployed(
            name=registry.name,
            version=version,
            promoted=standing[-1],
            trained=made[0] if made else None,
            tags=tags,
            run_id=run_id,
            params=dict(sorted(run.data.params.items())),
            metrics=dict(run.data.metrics),
            data=tuple(
                (f"{one.dataset.name} ({', '.join(tag.value for tag in one.tags)})", one.dataset.digest)
                for one in (run.inputs.dataset_inputs if run.inputs else ())
            ),
            artifacts=str(run.info.artifact_uri),
        )

    def software(self) -> list[str]:
        """Return packages and versions, as MLflow stored them beside the deployed model.

        Raises:
            RecordError: They are gone.
        """
        from mlflow.artifacts import download_artifacts  # late: MLflow takes seconds
        from mlflow.exceptions import MlflowException

        uri = f"{self.deployed.artifacts}/model/requirements.txt"
        try:
            path = Path(download_artifacts(artifact_uri=uri, tracking_uri=self.registry.tracking_uri))
            return path.read_text(encoding="utf-8").split()
        except (MlflowException, OSError):
            raise RecordError(f"version {self.deployed.version} has no requirements.txt beside it in MLflow") from None

    @cached_property
    def graph(self) -> LineageGraph:
        """The lineage. Raises RecordError where there are no events."""
        path = self.folder / "events.jsonl"
        if not path.is_file():
            raise RecordError(f"there is no lineage ({path.name}), so nobody knows what the model was made from")
        return LineageGraph(path)

    def model(self) -> Content:
        """Return the deployed model as the lineage knows it."""
        found = self.deployed
        return Content(f"registry/{found.name}/{found.version}", str(found.tags.get("model_hash")))

    def origins(self) -> list[Content]:
        """Return all files that the deployed model came from.

        Raises:
            RecordError: The lineage does not know the model.
        """
        if self.model() not in self.graph.graph:
            raise RecordError(f"the lineage does not know version {self.deployed.version} with this content")
        return self.graph.origins(self.model())

    def assessment(self) -> dict[str, Any]:
        """Return the validation report of the deployed model, found by lineage; its bytes are checked.

        Raises:
            RecordError: There is none of this model, or the file was changed.
        """
        digest = self.deployed.tags.get("model_hash")
        made = [one for one in self.origins() if one.digest == digest]  # the file that was registered
        trainings = {run for one in made for run in self.graph.graph.predecessors(one)}
        siblings = {one for run in trainings for one in self.graph.graph.successors(run)}
        runs = {run for one in siblings for run in self.graph.graph.successors(one)}
        judged = [run for run in runs if isinstance(run, JobRun) and run.job.endswith(".assess")]
        found = sorted(one for run in judged for one in self.graph.graph.successors(run))
        for one in found:
            path = self.folder / one.name
            if path.is_file() and file_hash(path) == one.digest:
                return dict(json.loads(path.read_text(encoding="utf-8")))
        raise RecordError(
            f"version {self.deployed.version} has no validation report with the content that the lineage names"
        )

    @cached_property
    def decided(self) -> pd.DataFrame:
        """What the deployed model decided until the day: the lake's decisions, with `group` of the application.

        Raises:
            RecordError: It decided nothing yet.
            LakeError: The lake cannot be read.
        """
        months = [month for month in self.lake.months("decisions") if month <= self.month]
        frames = [self.lake.read("decisions", [month]) for month in months]
        own = [frame[frame["model_version"].astype(str) == self.deployed.version] for frame in frames]
        own = [frame for frame in own if len(frame)]
        if not own:
            raise RecordError(f"the lake has no decision of version {self.deployed.version} until {self.as_of}")
        table = pd.concat(own, ignore_index=True)
        applied = self.lake.read("applications", sorted(set(table["month"].astype(int))))
        groups = applied.drop_duplicates("application_id")[["application_id", PROTECTED]]
        return table.merge(groups, on="application_id", how="left")


@contextmanager
def _database(folder: Path) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise RecordError(f"{folder} cannot be read as a registry: {error.__cause__ or error}") from error
