"""Lineage as OpenLineage events: each step of the bank says which files it read and wrote, by name and by content.

OpenLineage (openlineage.io, specification 2-0-2) knows jobs, their runs, and data sets; a *facet* says more about one.
Here the version of a data set is the sha256 of its bytes: a file that is sent again is another version.
"""

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from openlineage.client import OpenLineageClient, set_producer
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import DatasetFacet, dataset_version_dataset
from openlineage.client.transport.file import FileConfig, FileTransport

from oakbank.pipelines.dag import Finished
from oakbank.world.files import file_hash

NAMESPACE = "oakbank"
PRODUCER = "https://oakbank.example/governance"
"""OpenLineage wants a URI that says which program wrote an event."""
VERSION = "version"
"""The facet of a data set that holds its version."""


class EventError(ValueError):
    """A file outside the bank's folder, or events that cannot be read; the message says what to do."""


@dataclass(frozen=True, order=True)
class Content:
    """A data set with a certain content."""

    name: str
    """Path below the bank's folder, with `/`; or a name of its own, such as `registry/oakbank-credit/3`."""
    digest: str
    """sha256 of its bytes."""


Named: TypeAlias = Path | Content
"""A file, or what is no file and says its content itself."""


class Recorder:
    """Appends an event for each step that has finished.

    Args:
        path: The file of events, one JSON a line.
        root: The bank's folder; the names of files are relative to it.
    """

    def __init__(self, path: str | Path, root: str | Path) -> None:
        self.path, self.root = Path(path), Path(root).resolve()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        set_producer(PRODUCER)
        self._client = OpenLineageClient(transport=FileTransport(FileConfig(str(self.path), append=True)))

    def content(self, one: Named) -> Content:
        """Return the name and the content of a file.

        Raises:
            EventError: It lies outside the bank's folder.
        """
        if isinstance(one, Content):
            return one
        path = one.resolve()
        if not path.is_relative_to(self.root):
            raise EventError(f"{one} is not in {self.root}: name a folder that holds all that is read and written")
        return Content(path.relative_to(self.root).as_posix(), file_hash(path))

    def finished(
        self, job: str, inputs: Iterable[Named], outputs: Iterable[Named], when: datetime | None = None
    ) -> RunEvent:
        """Write that a run of a job has ended.

        The id of the run comes from job, inputs and outputs, so that a step that is told of twice is one run.

        Args:
            job: Such as `train`.
            inputs: What it read.
            outputs: What it wrote.
            when: Default: now. It must have a time zone.

        Raises:
            EventError: A file lies outside the bank's folder.
            FileNotFoundError: A file is not there.
            RuntimeError: The events cannot be written (the disk is full, or the file may not be written).
        """
        read, written = sorted(map(self.content, inputs)), sorted(map(self.content, outputs))
        key = json.dumps([job, *(vars(one) for one in read), "->", *(vars(one) for one in written)])
        event = RunEvent(
            eventType=RunState.COMPLETE,
            eventTime=(when or datetime.now(UTC)).isoformat(),
            run=Run(runId=str(uuid.uuid5(uuid.NAMESPACE_URL, key))),
            job=Job(namespace=NAMESPACE, name=job),
            inputs=[InputDataset(NAMESPACE, one.name, facets=_version(one)) for one in read],
            outputs=[OutputDataset(NAMESPACE, one.name, facets=_version(one)) for one in written],
        )
        self._client.emit(event)
        return event

    def of(self, prefix: str, when: datetime | None = None) -> Finished:
        """Return what `run_training(finished=…)` wants; the jobs are called `PREFIX.STEP`."""
        return lambda step, read, wrote: self.finished(f"{prefix}.{step}", read, wrote, when)


def _version(one: Content) -> dict[str, DatasetFacet]:
    return {VERSION: dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=one.digest)}
