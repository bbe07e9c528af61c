"""What a policy of retraining earns: a bank lives through a world, and the policy says when it trains again.

A small model of the bank: no files, no registry, and the outcomes of a month's loans are counted as its profit. What
decides is real: the monitors, `should_retrain`, the training's features and model, and the gates of a promotion.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from oakbank.deploy.gate import Gate, enough_rows, not_worse_auc
from oakbank.deploy.monitor import DriftReport, PerformanceReport, drift_report, performance_report
from oakbank.deploy.trigger import should_retrain
from oakbank.intro.loans import with_outcomes
from oakbank.pipelines import (
    CreditModel,
    FeedReference,
    Problem,
    check_feed,
    evaluate_model,
    feature_matrix,
    grant,
    repair_feed,
)
from oakbank.world import World, load_scenario
from oakbank.world.files import write_measured

WINDOW = 12
"""Months that a training learns from: the youngest whose outcomes are known."""
HOLDOUT = 2
"""The last of them, on which a challenger has to show itself."""
WORLDS = ("calm", "data-drift-sudden", "recession", "broken-feed-unit")
MONTHS, APPLICATIONS = 24, 1000
"""How long, and how many a month, in `small_world`."""
KEPT = Path(__file__).with_name("regret.json")
"""What `python -m oakbank.deploy.regret` found, with its day and versions; it takes minutes."""


@dataclass(frozen=True)
class Signals:
    """What the bank knows at the end of a month."""

    month: int
    since: int
    """Months since the model in use was trained."""
    drift: DriftReport
    """Of the month as delivered, against the youngest months that the model was trained on."""
    drift_then: DriftReport
    """Of the month whose outcomes arrived, against the same: of these applicants there is something to learn."""
    performance: PerformanceReport | None
    """Of the loans whose outcomes arrived this month, against the probabilities that they were granted on."""
    problems: list[Problem]
    """Faults of this month's feed."""
    problems_then: list[Problem]
    """Faults of the feed of the month whose outcomes arrived."""


@dataclass(frozen=True)
class Policy:
    """When to train again, and how."""

    name: str
    wants: Callable[[Signals], bool]
    gates: Sequence[Gate] = ()
    """What a challenger must pass; empty: it is released as it is."""
    skips_broken: bool = False
    """Leave months with a broken feed out of the training."""


def never(signals: Signals) -> bool:
    """Do not train again."""
    return False


def quarterly(signals: Signals) -> bool:
    """Train when the model is three months old."""
    return signals.since >= 3


def every_alarm(signals: Signals) -> bool:
    """Train whenever a monitor of inputs, answers or outcomes says that something has moved."""
    score, late = signals.drift.score, signals.performance
    moved = bool(signals.drift.drifted) or (score is not None and score.drifted)
    return moved or (late is not None and late.alarm)


def checked_alarm(signals: Signals) -> bool:
    """Train when `should_retrain` says so, which asks of every alarm whether the feed was whole."""
    trigger = should_retrain(
        signals.drift_then,
        signals.performance,
        signals.since,
        problems=signals.problems_then,
        problems_then=signals.problems_then,
        max_age=6,
        cool_down=1,
    )
    return trigger.fire


POLICIES = (
    Policy("never", never),
    Policy("calendar", quarterly),
    Policy("every alarm", every_alarm),
    Policy("checked alarm", checked_alarm, (enough_rows(300), not_worse_auc()), skips_broken=True),
)


def small_world(seed: int, scenario: str) -> World:
    """Return a world with fewer applications than usual."""
    course = load_scenario(scenario)
    return World(seed, course.model_copy(update={"applications_per_month": APPLICATIONS}))


@dataclass
class Life:
    """What became of a bank under a policy."""

    profit: list[float] = field(default_factory=list)
    """EUR that the loans of each month earned."""
    trained: list[int] = field(default_factory=list)
    """Months at whose end a training started."""
    refused: list[int] = field(default_factory=list)
    """Those of them whose model did not pass the gates."""


def live(world: World, policy: Policy, months: int, *, repair: bool = True) -> Life:
    """Let a bank live under a policy.

    Args:
        world: Its scenario says who applies, what the feed does, and how late outcomes are.
        policy: When to train.
        months: From month 0.
        repair: Decide on the repaired feed, as the batch job does; else on what came.
    """
    return Bank(world, policy, repair).live(months)


class Bank:
    """A bank in memory; see `live`."""

    def __init__(self, world: World, policy: Policy, repair: bool) -> None:
        self.world, self.policy, self.repair = world, policy, repair
        self.delay = world.scenario.label_delay
        history = range(-world.scenario.history_months, 0)
        self.applied = {month: world.applications(month) for month in history}
        self.problems: dict[int, list[Problem]] = {month: [] for month in history}
        self.reference = FeedReference.typical(FeedReference.of(frame) for frame in self.applied.values())
        self.decided = {month: world.officer_decisions(month) for month in history}
        self.known: dict[int, pd.DataFrame] = {}
        for month in range(-world.scenario.history_months + self.delay, 0):
            self._outcomes_arrive(month)
        self.life = Life()
        self.since = 0
        self.model, self.learned = self._train()

    def _outcomes_arrive(self, month: int) -> None:
        then = month - self.delay
        granted = self.decided[then].loc[lambda table: table["granted"], "application_id"]
        outcomes = self.world.outcomes(month, granted)
        self.known[then] = with_outcomes(self.applied[then], outcomes)

    def _train(self) -> tuple[CreditModel, list[int]]:
        whole = [month for month in self.known if not (self.policy.skips_broken and self.problems[month])]
        months = sorted(whole)[-WINDOW:]
        candidate, holdout = self.fit(months[:-HOLDOUT]), months[-HOLDOUT:]
        labelled = pd.concat([self.known[month] for month in holdout])
        if self.policy.gates and self.since:
            challenger, champion = evaluate_model(candidate, labelled), evaluate_model(self.model, labelled)
            if not all(gate(challenger, champion).passed for gate in self.policy.gates):
                self.life.refused.append(max(self.applied))
                return self.model, self.learned
        return self.fit(months), months

    def fit(self, months: Sequence[int]) -> CreditModel:
        """Return a model of the loans of some months."""
        rows = pd.concat([self.known[month] for month in months])
        return CreditModel.fit(feature_matrix(rows), rows["defaulted"])

    def live(self, months: int) -> Life:
        """Live through the first months of the flight."""
        for month in range(months):
            signals = self._month(month)
            if self.policy.wants(signals):
                self.life.trained.append(month)
                self.model, self.learned = self._train()
                self.since = 0
        return self.life

    def _month(self, month: int) -> Signals:
        feed = self.world.applications(month)
        problems = check_feed(feed, self.reference, self.applied[month - 1])
        repaired = repair_feed(feed, problems, self.reference) if self.repair and problems else feed
        risk = self.model.predict(repaired)
        granted = grant(risk, repaired["amount"], repaired["term"])
        self.applied[month], self.problems[month] = feed, problems
        ids = feed["application_id"]
        self.decided[month] = pd.DataFrame({"application_id": ids, "granted": granted, "default_probability": risk})
        later = self.world.outcomes(month + self.delay, ids[granted])
        self.life.profit.append(float(later["profit"].sum()))
        self._outcomes_arrive(month)
        self.since += 1
        then = month - self.delay
        performance = None
        if then >= 0:
            performance = performance_report(self.decided[then], self.known[then][["application_id", "defaulted"]])
        familiar = pd.concat([self.applied[one] for one in self.learned[-3:]])
        drift, drift_then = (drift_report(familiar, self.applied[one], model=self.model) for one in (month, then))
        return Signals(month, self.since, drift, drift_then, performance, problems, self.problems[then])


def kept(path: Path = KEPT) -> dict[str, Any]:
    """Return what `main` has written: `date`, `versions`, and `lives` (seed, world, policy, profit in EUR)."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Let a bank live under each policy in each world, several times, and keep what it earned in `regret.json`."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.deploy.regret", description="policies times worlds")
    parser.add_argument("--into", type=Path, default=KEPT, help="file to write (default: the one that lesson 11 shows)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13, 14, 15, 16])
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS))
    parser.add_argument("--policies", nargs="+", default=[policy.name for policy in POLICIES])
    options = parser.parse_args(arguments)
    rows = []
    for seed, name, policy in product(options.seeds, options.worlds, POLICIES):
        if policy.name in options.policies:
            life = live(small_world(seed, name), policy, MONTHS)
            rows.append({"seed": seed, "world": name, "policy": policy.name, "profit": round(sum(life.profit))})
            print(*rows[-1].values(), flush=True)
    write_measured(options.into, ("lightgbm", "numpy", "pandas"), lives=rows)


if __name__ == "__main__":
    main()
