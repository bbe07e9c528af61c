"""When to train again, and the start of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from oakbank.deploy.monitor import PSI_MAJOR, DriftReport, PerformanceReport
from oakbank.pipelines import Problem, Registry, TrainingConfig, TrainingRun, run_training
from oakbank.world import Lake


@dataclass(frozen=True)
class Trigger:
    """Whether to train again, and why."""

    fire: bool
    reasons: list[str]
    """Everything that speaks for training, also if it does not fire."""
    held: str
    """Why it does not fire in spite of reasons; "" if it fires or there are none."""


def should_retrain(
    drift: DriftReport | None,
    performance: PerformanceReport | None,
    months_since: int,
    *,
    problems: Sequence[Problem] = (),
    problems_then: Sequence[Problem] = (),
    max_age: int = 12,
    cool_down: int = 3,
) -> Trigger:
    """Decide whether to train again.

    Args:
        drift: Of the newest month against the months the model was trained on; None: not measured.
        performance: Of the newest loans with known outcomes; None: there are none yet.
        months_since: Months since the model in use was trained.
        problems: Faults of the feed. Drift of a broken column, and of the score with it, is no reason: mend the feed;
            a model trained on broken data would learn the fault.
        problems_then: Faults of the feed in the months whose loans `performance` judges, if the model decided on it as
            it came. What became of those loans is due to the feed, and no reason either.
        max_age: Age in months at which a model is replaced in any case.
        cool_down: Months to wait after a training. Until the labels of the changed months are in (the label delay),
            training again would only see the old world again.
    """
    broken, broken_then = _broken(problems), _broken(problems_then)
    reasons = []
    if drift is not None:
        for column in drift.drifted:
            if drift.columns[column].psi >= PSI_MAJOR and column not in broken:
                reasons.append(f"data drift: {column} has moved (PSI {drift.columns[column].psi:.2f})")
        if drift.score is not None and drift.score.drifted and not broken:
            reasons.append(f"data drift: the model's answers have moved (PSI {drift.score.psi:.2f})")
    if performance is not None and performance.alarm and not broken_then:
        reasons.append(
            f"performance: {performance.default_rate:.1%} of the loans default, "
            f"{performance.mean_probability:.1%} were predicted (z = {performance.z:.1f})"
        )
    if months_since >= max_age:
        reasons.append(f"age: trained {months_since} months ago")
    held = ""
    if reasons and months_since < cool_down:
        held = f"trained {months_since} months ago: wait for the labels of {cool_down} months"
    return Trigger(fire=bool(reasons) and not held, reasons=reasons, held=held)


def _broken(problems: Sequence[Problem]) -> set[str]:
    """Return the columns that are not what they were; one that the model does not know is no fault of its answers."""
    return {problem.column for problem in problems if problem.kind != "unknown_column"}


def retrain(
    config: TrainingConfig, lake: Lake, workdir: str | Path, registry: Registry | None, label_delay: int = 3
) -> TrainingRun:
    """Run the training pipeline as of a month, in a folder of its own under `workdir`; after a kill it resumes."""
    return run_training(config, lake, Path(workdir) / f"as_of={config.as_of:+04d}", registry, label_delay)


def fixed_window(loans: pd.DataFrame, as_of: int, window: int) -> pd.DataFrame:
    """Return the loans that are old enough to be judged, each by its first `window` months and no more.

    Who counts as bad every loan that has defaulted so far finds the youngest loans the best: they had the least time.

    Args:
        loans: `month` (of the loan), `default_month` (in which it defaulted; NaN: not so far), and any other columns.
        as_of: The month before which everything is known.
        window: Months from the loan to the day on which it is judged.

    Returns:
        Those with `month + window <= as_of`, and `defaulted`: whether within the window. Index as given.

    Raises:
        ValueError: The window is below 1, or no loan is old enough.
    """
    if window < 1:
        raise ValueError(f"an outcome window has at least one month, not {window}")
    old = loans[loans["month"] + window <= as_of]
    if old.empty:
        raise ValueError(f"no loan is {window} months old in month {as_of}: wait, or take a shorter window")
    return old.assign(defaulted=old["default_month"] - old["month"] <= window)
