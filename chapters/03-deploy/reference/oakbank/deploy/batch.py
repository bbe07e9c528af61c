"""The batch job: decides a month of applications, once. `python -m oakbank.deploy.batch --registry DIR --lake DIR`."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oakbank.pipelines import (
    CreditModel,
    FeedReference,
    PipelineBusyError,
    Problem,
    Registry,
    RegistryError,
    bad_rows,
    check_feed,
    folder_lock,
    grant,
    repair_feed,
)
from oakbank.world import DECISIONS, Lake, LakeError, table_of

REVIEW = "review: "
"""How the reason of a decision begins that a person must look at. Nothing is granted in the meantime."""


NO_ID = -1
"""Id in the decisions of a row that came without one."""


class BatchError(RuntimeError):
    """A month that cannot be decided, or that has been decided otherwise; the message says what to do."""


@dataclass(frozen=True)
class ScoredMonth:
    """A decided month."""

    decisions: pd.DataFrame
    """Columns as `oakbank.world.DECISIONS`; the reason is "" or `REVIEW` and what the row breaks. One row per
    application, in the feed's order."""
    problems: list[Problem]
    """What was wrong with the feed; the columns concerned were set to the reference's median."""
    path: Path
    written: bool
    """False: the same decisions had been written before."""


def decide(
    model: CreditModel,
    version: str,
    applications: pd.DataFrame,
    month: int,
    reference: FeedReference,
    previous: pd.DataFrame | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:
    """Decide the applications of a month; a pure function. Returns decisions (see `ScoredMonth`) and feed problems.

    Args:
        model: The model.
        version: Its version in the registry.
        applications: As delivered, faults included.
        month: Their month.
        reference: From good months.
        previous: The month before, as delivered; without it, values that stand still are not seen.

    Raises:
        BatchError: There are no rows, they are of another month, or a column is broken that has no median.
    """
    if applications.empty:
        raise BatchError(f"month {month} was delivered without applications: ask the supplier to send it again")
    problems = check_feed(applications, reference, previous)
    try:
        repaired = repair_feed(applications, problems, reference)
    except ValueError as error:
        raise BatchError(f"month {month}: {error}") from error
    elsewhere = (repaired["month"] != month).to_numpy()
    if elsewhere.all():
        raise BatchError(f"the file of month {month} is of another month: ask the supplier for the right one")
    broken = bad_rows(repaired).to_numpy(dtype=object)
    broken[elsewhere & (broken == "")] = f"month is not {month}"
    return decide_rows(model, version, repaired, month, broken), problems


def decide_rows(
    model: CreditModel, version: str, applications: pd.DataFrame, month: ArrayLike, broken: NDArray[np.object_]
) -> pd.DataFrame:
    """Score applications and apply the bank's rule; batch and stream both decide here. A pure function.

    Args:
        model: The model.
        version: Its version in the registry.
        applications: Shape (n, any), with the model's columns.
        month: Of the applications, one for all or shape (n,).
        broken: What each row breaks, shape (n,), "" where it is good. Such a row is not scored, and not granted.

    Returns:
        Columns as `oakbank.world.DECISIONS`, one row per application, in their order.
    """
    good = broken == ""
    kept = applications[good]
    probability = np.full(len(applications), np.nan)
    granted = np.zeros(len(applications), dtype=bool)
    if good.any():
        probability[good] = model.predict(kept)
        granted[good] = grant(probability[good], kept["amount"], kept["term"])
    ids = pd.to_numeric(applications["application_id"], errors="coerce").to_numpy(np.float64)
    known = np.isfinite(ids)
    return table_of(
        DECISIONS,
        {
            "application_id": np.where(known, applications["application_id"].where(known, NO_ID), NO_ID).astype(
                np.int64
            ),
            "granted": granted,
            "default_probability": probability,
            "model_version": version,
            "month": month,
            "reason": np.where(good, "", REVIEW + broken).astype(object),
        },
    )


def decide_month(
    model: CreditModel, version: str, lake: Lake, month: int, reference: FeedReference
) -> tuple[pd.DataFrame, list[Problem]]:
    """Decide a month as the lake has it, and write nothing; arguments, results and errors as in `decide`.

    Raises:
        LakeError: The month was not published, or a file cannot be read.
    """
    applications, previous = _delivered(lake, month)
    return decide(model, version, applications, month, reference, previous)


def as_asked(lake: Lake, month: int) -> pd.DataFrame:
    """Return a month's applications as a model was asked about them: delivered, and the feed repaired.

    Raises:
        LakeError: The month was not published, or a file cannot be read.
    """
    (applications, previous), reference = _delivered(lake, month), FeedReference.from_lake(lake)
    return repair_feed(applications, check_feed(applications, reference, previous), reference)


def _delivered(lake: Lake, month: int) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return a month's applications as delivered, and those of the month before, if there are any."""
    previous = lake.read("applications", [month - 1]) if lake.path("applications", month - 1).exists() else None
    return lake.read("applications", [month]), previous


def score_month(model: CreditModel, version: str, lake: Lake, month: int, reference: FeedReference) -> ScoredMonth:
    """Decide a month of the lake and write the decisions there. Called again, it changes nothing.

    A decision is history: customers have their letter. So a month that was decided by another version, or
    otherwise, is an error and the lake stays as it is.

    Raises:
        LakeError: The month was not published, or a file cannot be read.
        BatchError: The month cannot be decided, or was decided otherwise.
        PipelineBusyError: Another job is writing decisions.
    """
    decisions, problems = decide_month(model, version, lake, month, reference)
    path = lake.path("decisions", month)
    with folder_lock(path.parent):
        if not path.exists():
            lake.write("decisions", month, decisions)
            return ScoredMonth(decisions, problems, path, written=True)
        earlier = lake.read("decisions", [month])
    if earlier.equals(decisions):
        return ScoredMonth(decisions, problems, path, written=False)
    by = ", ".join(sorted(earlier["model_version"].astype(str).unique()))
    what = "the feed or the reference has changed since" if by == version else f"not by version {version}"
    raise BatchError(
        f"month {month} was decided by version {by}, {what}: decisions are history and stay; "
        f"to correct one, review it, or move {path} away on purpose"
    )


def main(arguments: list[str] | None = None) -> None:
    """Decide months from the command line, with the champion."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.deploy.batch", description="decide months of the lake")
    parser.add_argument("--registry", type=Path, required=True, help="folder of the model registry")
    parser.add_argument("--lake", type=Path, required=True, help="folder of the lake")
    parser.add_argument("--month", type=int, nargs="+", required=True, help="months to decide")
    parser.add_argument("--alias", default="champion", help="alias of the model (default: champion)")
    options = parser.parse_args(arguments)
    lake = Lake(options.lake)
    try:
        registry = Registry(options.registry, create=False)
        version = registry.alias(options.alias)
        if version is None:
            raise RegistryError(f"no model has the alias {options.alias!r}: train and promote one first")
        model, reference = registry.load(version), FeedReference.from_lake(lake)
        for month in options.month:
            scored = score_month(model, version, lake, month, reference)
            for problem in scored.problems:
                print(f"month {month}: {problem.column}: {problem.kind}: {problem.detail}")
            review = int(scored.decisions["reason"].str.startswith(REVIEW).sum())
            rows, granted = len(scored.decisions), int(scored.decisions["granted"].sum())
            note = "" if scored.written else " (decided before)"
            print(f"month {month}: {rows} decided, {granted} granted, {review} to review{note}", flush=True)
    except (BatchError, LakeError, PipelineBusyError, RegistryError) as error:
        raise SystemExit(f"error: {error}") from None


if __name__ == "__main__":
    main()
