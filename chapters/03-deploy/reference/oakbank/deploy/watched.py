"""Banks to be watched: each a scoring service of its own over one model, in a world of its own."""

import logging
from collections.abc import Mapping
from pathlib import Path

import httpx
import pandas as pd

from oakbank.deploy.arms import records_of
from oakbank.deploy.gate import CHAMPION
from oakbank.deploy.inputs import InputBins
from oakbank.deploy.logs import JsonLines, RequestLog
from oakbank.deploy.prometheus import serve
from oakbank.deploy.service import ScoringService, create_app
from oakbank.pipelines import Registry, TrainingConfig, grant, run_training
from oakbank.world import Event, Lake, Scenario, World, load_scenario, publish_history

DEBTS = Scenario(
    name="debts",
    description="A supplier sends debts in thousands of EUR: each value is within the contract's range.",
    events=(Event(kind="feed_unit", onset=0, column="debts", factor=0.001),),
)
STORM = Scenario(
    name="storm",
    description="In April and May debts arrive in thousands of EUR; from September on a new channel grows.",
    events=(
        Event(kind="feed_unit", onset=3, until=5, column="debts", factor=0.001),
        *(event for event in load_scenario("stormy").events if event.kind == "data_drift"),
    ),
)


class WatchedBank:
    """A service that is asked over HTTP, with the applications of its world as they are delivered.

    Args:
        world: Who applies, what the feed makes of it, and what becomes of the loans.
        registry: Has the champion.
        bins: Into which the inputs are counted.
        log: File that gets a line of JSON for each request.
    """

    def __init__(self, world: World, registry: Registry, bins: InputBins, log: Path) -> None:
        self.world = world
        app = create_app(registry, bins=bins)
        handler = logging.FileHandler(log, encoding="utf-8")
        handler.setFormatter(JsonLines())
        logger = logging.Logger(log.stem)  # of its own: nothing else writes there, and it writes nowhere else
        logger.addHandler(handler)
        app.add_middleware(RequestLog, logger=logger)
        self.service: ScoringService = app.state.service
        self.place = serve(app)
        """Where it listens, such as `127.0.0.1:45123`."""

    def ask(self, month: int, rows: int) -> pd.DataFrame:
        """Ask for a decision on each of the first `rows` applications of a month: `status`, `milliseconds`."""
        records = records_of(self.world.applications(month).head(rows))
        answers = []
        with httpx.Client(base_url=f"http://{self.place}") as client:
            for record in records:
                answer = client.post("/score", json=record)
                answers.append((answer.status_code, answer.elapsed.total_seconds() * 1000))
        return pd.DataFrame(answers, columns=["status", "milliseconds"])

    def outcomes_arrive(self, month: int) -> float:
        """Do what a nightly job does when a month's loans have outcomes: hold them against what was predicted.

        Returns:
            What the loans of the whole month earned, in EUR.
        """
        assert self.service.loaded is not None
        feed = self.world.applications(month)
        risk = self.service.loaded.model.predict(feed)
        granted = grant(risk, feed["amount"], feed["term"])
        outcomes = self.world.outcomes(month + self.world.scenario.label_delay, feed["application_id"][granted])
        loans = feed[["application_id"]].assign(risk=risk).merge(outcomes, on="application_id")
        self.service.metrics.matured(loans["risk"], loans["defaulted"], loans["profit"])
        return float(loans["profit"].sum())


def open_banks(worlds: Mapping[str, World], folder: Path) -> dict[str, WatchedBank]:
    """Train a model on the past of the first world, make it the champion, and serve it in each of them.

    Args:
        worlds: By the name of the bank; all share one past.
        folder: Where lake, artefacts, registry and logs go, such as `calm.log`.
    """
    lake, registry = Lake(folder / "lake"), Registry(folder / "registry")
    first = next(iter(worlds.values()))
    publish_history(first, lake)
    run = run_training(TrainingConfig(seed=first.seed), lake, folder / "training", registry)
    registry.set_alias(CHAMPION, str(run.version))
    bins = InputBins(lake.read("applications", lake.months("applications")))
    return {name: WatchedBank(world, registry, bins, folder / f"{name}.log") for name, world in worlds.items()}
