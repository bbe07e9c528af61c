"""The bank under a policy: how one month is decided, watched and learned from, with the tools of chapters 2 to 4."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oakbank.deploy.batch import score_month
from oakbank.deploy.gate import CHAMPION, promote, rollback
from oakbank.deploy.monitor import drift_report, performance_report
from oakbank.deploy.trigger import retrain, should_retrain
from oakbank.governance.audit import AuditLog
from oakbank.governance.lineage import PROMOTE
from oakbank.intro.loans import with_outcomes
from oakbank.pipelines import (
    CreditModel,
    FeedReference,
    Problem,
    Registry,
    TrainingConfig,
    grant,
    repair_feed,
)
from oakbank.scale.month import Month, State
from oakbank.scale.policy import Policy
from oakbank.world import DECISIONS, Feed, Lake, table_of

DRIFT_MONTHS = 3
"""Drift is measured against the youngest months that the champion learned from, this many."""


NO_OUTCOMES = "the changed months have no outcomes yet"


class FlightError(RuntimeError):
    """A flight that cannot go on; the message says what to do. What was flown is kept."""


class Bank:
    """A bank in a folder: lake, registry, audit log. Every method gives the same when it is called again.

    Args:
        feed: What it sees of its world.
        policy: How it treats its model.
        folder: Where its files are.
    """

    def __init__(self, feed: Feed, policy: Policy, folder: Path) -> None:
        self.feed, self.policy, self.folder = feed, policy, folder
        self.delay = feed.label_delay
        self.lake = Lake(folder / "lake")
        self.school = Lake(folder / "school") if policy.check_feed else self.lake
        """The months that are fit to learn from: those whose feed was whole."""
        self.audit = AuditLog(folder / "audit.jsonl")
        self.registry = Registry(folder / "registry")
        self._models: dict[str, CreditModel] = {}

    def found(self) -> State:
        """Publish the bank's past, train the first model on it and make it the champion.

        Raises:
            FlightError: The model does not pass the policy's gates.
        """
        self.feed.publish_history(self.lake)
        if self.school is not self.lake:
            for kind in ("applications", "outcomes"):
                # History alone: after a kill the lake may hold the first month already.
                for month in range(-self.feed.history_months, 0):
                    if self.lake.path(kind, month).exists():
                        self.school.write(kind, month, self.lake.read(kind, [month]))
        version, refused = self._train(0, half_life=None)
        if refused:
            raise FlightError(f"the first model does not pass: {'; '.join(refused)}: more history, or other gates")
        return State(champion=version, champion_as_of=0, previous=None, trained_as_of=0)

    def live(self, month: int, state: State) -> tuple[Month, State]:
        """Live through a month; return what happened and what the next month must know."""
        model = self._model(state.champion)
        self.feed.publish_month(self.lake, month)
        applications = self.lake.read("applications", [month])
        if self.policy.check_feed:
            reference = FeedReference.from_lake(self.lake)
            scored = score_month(model, state.champion, self.lake, month, reference)
            today = Month(month, state.champion, scored.decisions, scored.problems)
            applications = repair_feed(applications, scored.problems, reference)
        else:
            today = Month(month, state.champion, self._decide_blindly(model, state.champion, month, applications))
        granted = int(today.decisions["granted"].sum())
        self._log(month, "score", "batch", month=month, version=state.champion, granted=granted)
        for problem in today.feed_problems:
            self._log(month, "feed", "monitor", problem.column, month=month, **asdict(problem))
        self.feed.publish_outcomes(self.lake, month)
        if self.policy.check_feed:
            self._keep_for_school(month, applications, today.feed_problems)
        if self.policy.retrain:
            state = self._watch(today, applications, state)
        return today, state

    def _watch(self, today: Month, applications: pd.DataFrame, state: State) -> State:
        """Measure; go back, or train again, if the measures say so. At most one of the two in a month."""
        month, model, policy = today.month, self._model(state.champion), self.policy
        familiar = self._familiar(state)
        today.drift = drift_report(familiar, applications, model=model)
        newest, loans = self._just_known(month)
        if len(loans):
            decided = loans[["application_id"]].assign(granted=True, default_probability=model.predict(loans))
            today.performance = performance_report(decided, loans)
            if self._does_worse(state, loans):
                return self._roll_back(today, state)
        # The alarm of the day says that applicants have changed. There is nothing new to learn from it until the first
        # of them have outcomes: it is their month that starts a training. No `problems_then`: the model decides on
        # feeds that were repaired.
        today.alarms = should_retrain(today.drift, None, 0, problems=today.feed_problems, max_age=1).reasons
        trigger = should_retrain(
            drift_report(familiar, newest, model=model) if len(newest) else None,
            today.performance,
            month + 1 - state.trained_as_of,
            max_age=policy.max_age,
            cool_down=policy.cool_down,
        )
        waits = today.alarms and not trigger.reasons
        today.reasons, today.held = trigger.reasons, NO_OUTCOMES if waits else trigger.held
        return self._learn(today, state) if trigger.fire else state

    def _familiar(self, state: State) -> pd.DataFrame:
        """Return the applications that the champion knows best: those of the youngest months it learned from."""
        known = [m for m in self.school.months("applications") if m < state.champion_as_of - self.delay]
        return self.school.read("applications", known[-DRIFT_MONTHS:])

    def _just_known(self, month: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the applications whose month has its outcomes as of this one, and those that have one, with it."""
        if not self.school.path("outcomes", month).exists():
            return pd.DataFrame(), pd.DataFrame()
        newest = self.school.read("applications", [month - self.delay])
        return newest, with_outcomes(newest, self.school.read("outcomes", [month]))

    def _learn(self, today: Month, state: State) -> State:
        """Train on what is known at the end of the month; older months count less if risk itself has changed."""
        as_of = today.month + 1
        risk_changed = today.performance is not None and today.performance.alarm
        today.trained, today.refused = self._train(as_of, self.policy.half_life if risk_changed else None)
        if today.refused:
            return replace(state, trained_as_of=as_of)
        return State(today.trained, as_of, previous=state.champion, trained_as_of=as_of)

    def _train(self, as_of: int, half_life: float | None) -> tuple[str, list[str]]:
        """Train as of a month, and let the gates decide; return the version and what they had against it."""
        policy = self.policy
        config = TrainingConfig(
            as_of=as_of, window=policy.window, holdout=policy.holdout, half_life=half_life, seed=self.feed.seed
        )
        run = retrain(config, self.school, self.folder / "training", self.registry, self.delay)
        version = str(run.version)
        measures = {key: round(value, 6) for key, value in run.evaluation.metrics().items()}
        self._log(as_of, "train", "trigger", version=version, data_hash=run.data_hash, measures=measures)
        approver = f"policy {policy.name}"
        promotion = promote(self.registry, run, policy.gates(), approver)
        results = [asdict(result) for result in promotion.results]
        kind = PROMOTE if promotion.promoted else "refuse"
        self._log(as_of, kind, approver, version=version, gates=results)
        return version, [f"{r.name}: {r.detail}" for r in promotion.results if not r.passed]

    def _does_worse(self, state: State, loans: pd.DataFrame) -> bool:
        """Compare the champion with the one before it, while it is on trial, by log-loss, loan by loan.

        Not by profit: the loans are those that a model in service granted, so that model has no bad ones left to
        decline, and any other seems to do better.
        """
        if self.policy.rollback_z is None or state.previous is None:
            return False
        outcome = loans["defaulted"].to_numpy(dtype=bool)
        predicted = (self._model(version).predict(loans) for version in (state.champion, state.previous))
        mine, theirs = (np.log(np.where(outcome, p, 1 - p)) for p in predicted)
        worse = theirs - mine
        return bool(worse.mean() > self.policy.rollback_z * worse.std() / np.sqrt(len(worse)))

    def _roll_back(self, today: Month, state: State) -> State:
        assert state.previous is not None
        approver = f"policy {self.policy.name}"
        if self.registry.alias(CHAMPION) == state.champion:  # otherwise it was done before a kill
            rollback(self.registry, approver)
        self._log(today.month, "rollback", approver, version=state.champion, back_to=state.previous)
        today.rolled_back = state.champion
        as_of = int(self.registry.tags(state.previous)["as_of"])
        return State(state.previous, as_of, previous=None, trained_as_of=state.trained_as_of)

    def _keep_for_school(self, month: int, applications: pd.DataFrame, problems: list[Problem]) -> None:
        """Keep the month if its feed was whole, and the new outcomes if those of their month were."""
        if all(problem.kind == "unknown_column" for problem in problems):
            self.school.write("applications", month, applications)
        if self.school.path("applications", month - self.delay).exists():
            self.school.write("outcomes", month, self.lake.read("outcomes", [month]))

    def _decide_blindly(self, model: CreditModel, version: str, month: int, applications: pd.DataFrame) -> pd.DataFrame:
        """Decide on whatever came, and write the decisions: what a bank does that checks nothing."""
        if absent := {"amount", "term"} - set(applications):
            raise FlightError(f"month {month} came without {', '.join(sorted(absent))}: check the feed, and repair it")
        probability = model.predict(applications)
        decisions = table_of(
            DECISIONS,
            {
                "application_id": applications["application_id"],
                "granted": grant(probability, applications["amount"], applications["term"]),
                "default_probability": probability,
                "model_version": version,
                "month": month,
                "reason": "",
            },
        )
        self.lake.write("decisions", month, decisions)
        return decisions

    def _model(self, version: str) -> CreditModel:
        if version not in self._models:
            self._models[version] = self.registry.load(version)
        return self._models[version]

    def _log(self, month: int, kind: str, actor: str, detail: str = "", /, **payload: Any) -> None:
        key = f"{month:+04d}/{kind}" + (f"/{detail}" if detail else "")
        self.audit.append(kind, actor, when=month, key=key, **payload)
