"""A small bank that leaves its lineage: it trains, decides and sends letters, and each step writes an event."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from oakbank.deploy.batch import ScoredMonth, decide_month, score_month
from oakbank.deploy.store import letter_of
from oakbank.governance.events import Content, Recorder
from oakbank.pipelines import FeedReference, Registry, TrainingConfig, TrainingRun, run_training
from oakbank.world import Lake
from oakbank.world.files import whole

FIRST_YEAR = 2024
"""Month 0 is its January."""


class TrackedBank:
    """Everything below one folder: `lake/`, `runs/`, `registry/`, `letters/` and the events in `events.jsonl`.

    Args:
        folder: The bank's folder. Its lake must hold the history before the bank trains.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.lake, self.registry = Lake(self.folder / "lake"), Registry(self.folder / "registry")
        self.recorder = Recorder(self.folder / "events.jsonl", self.folder)

    def train(self, as_of: int) -> TrainingRun:
        """Train at the start of a month, and register the model.

        Raises:
            LakeError: As `run_training`.
        """
        when = first_of(as_of)
        workdir = self.folder / "runs" / str(as_of)
        told = self.recorder.of("train", when)
        run = run_training(TrainingConfig(as_of=as_of), self.lake, workdir, self.registry, finished=told)
        assert run.version is not None  # it was registered
        self.recorder.finished("register", [run.model_path], [self.model(run.version)], when)
        return run

    def model(self, version: str) -> Content:
        """Return a registered model as a data set of the lineage; its content is the digest in the registry."""
        return Content(f"registry/{self.registry.name}/{version}", self.registry.tags(version)["model_hash"])

    def decide(self, month: int, version: str) -> ScoredMonth:
        """Decide a month and write its letters.

        Raises:
            BatchError, LakeError: As `score_month`.
        """
        history = [past for past in self.lake.months("applications") if past < 0]  # what is usual
        there = [*history, month - 1, month] if month > 0 else [*history, month]  # the month before: what stands still
        reads = [self.lake.path("applications", one) for one in there]
        reference = FeedReference.from_lake(self.lake)
        scored = score_month(self.registry.load(version), version, self.lake, month, reference)
        self.recorder.finished("decide", [*reads, self.model(version)], [scored.path], first_of(month + 1))
        self._send(month, scored)
        return scored

    def again(self, month: int, version: str) -> pd.DataFrame:
        """Return what would be decided of a month with the lake as it is; nothing is written or sent.

        Raises:
            BatchError, LakeError: As `score_month`.
        """
        model, usual = self.registry.load(version), FeedReference.from_lake(self.lake)
        return decide_month(model, version, self.lake, month, usual)[0]

    def _send(self, month: int, scored: ScoredMonth) -> None:
        path = self.letters(month)
        kinds = map(letter_of, scored.decisions["granted"], scored.decisions["reason"])
        table = pd.DataFrame({"application_id": scored.decisions["application_id"], "letter": list(kinds)})
        with whole(path) as stream:
            stream.write(table.to_csv(index=False, lineterminator="\n").encode())
        self.recorder.finished("send", [scored.path], [path], first_of(month + 1))

    def letters(self, month: int) -> Path:
        """Return where the letters of a month are: columns `application_id` and `letter`."""
        return self.folder / "letters" / f"month={month:+04d}.csv"


def first_of(month: int) -> datetime:
    """Return midnight of a month's first day, UTC; month 0 is January 2024."""
    return datetime(FIRST_YEAR + month // 12, month % 12 + 1, 1, tzinfo=UTC)
