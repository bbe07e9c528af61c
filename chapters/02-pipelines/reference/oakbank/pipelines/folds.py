"""Folds in time: train on the months before, judge on the months after, several times over."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.pipelines.features import OAKBANK
from oakbank.pipelines.model import spec_of
from oakbank.world import LakeError

LABEL = "_defaulted"


@dataclass(frozen=True)
class Fold:
    """Rows to train on and rows to judge by, as masks over one table, bool, shape (n,)."""

    name: str
    train: NDArray[np.bool_]
    judge: NDArray[np.bool_]


def time_folds(table: pd.DataFrame, folds: int = 3, gap: int = 0, spec: str = OAKBANK.name) -> list[Fold]:
    """Cut the last months of a feature table into blocks, and let each be judged by a model of the months before.

    The training part grows from fold to fold, as a bank's history does. Data without dates (German credit) are cut by
    `application_id` instead, and each part is judged by a model of all the others.

    Args:
        table: From the step `features` (without the hold-out, if there is one), with `_month`, `_application_id` and
            `_defaulted`, shape (n, any).
        folds: Number of folds, 1 or more (2 or more without dates).
        gap: Months left out between training and judging. 0 asks the question that the pipeline's hold-out asks; the
            label delay asks the one that live months ask, and takes as many months from the training part.
        spec: Which data set it is.

    Raises:
        LakeError: There are too few months, or a part of a fold has one kind of outcome only.
    """
    cut = _by_month(table["_month"].to_numpy(), folds, gap) if spec_of(spec).dated else _by_id(table, folds)
    outcome = table[LABEL].to_numpy(dtype=bool)
    for fold in cut:
        for part, rows in (("train on", fold.train), ("judge", fold.judge)):
            if len(np.unique(outcome[rows])) < 2:
                raise LakeError(
                    f"{fold.name}: the {int(rows.sum())} rows to {part} hold {int(outcome[rows].sum())} defaults, and "
                    "nothing can be compared; take more months, or fewer folds"
                )
    return cut


def _by_month(month: NDArray[np.int64], folds: int, gap: int) -> list[Fold]:
    months = np.unique(month)
    width = max(1, (len(months) - gap) // (folds + 1))
    first = len(months) - folds * width
    if first < 1 or months[first] - gap <= months[0]:
        raise LakeError(
            f"{len(months)} months of labels to search and judge in, {folds + 1 + gap} wanted ({folds} folds, {gap} "
            "months between training and judging): take a longer window, or fewer folds"
        )
    cut = []
    for position in range(first, len(months), width):
        block = months[position : position + width]
        name = f"months {block[0]} to {block[-1]}" if width > 1 else f"month {block[0]}"
        cut.append(Fold(name, month < block[0] - gap, (month >= block[0]) & (month <= block[-1])))
    return cut


def _by_id(table: pd.DataFrame, folds: int) -> list[Fold]:
    if folds < 2:
        raise LakeError(f"{folds} folds: without dates, 2 or more are wanted")
    part = table["_application_id"].rank(method="first").to_numpy().astype(int) % folds
    return [Fold(f"part {number}", part != number, part == number) for number in range(folds)]
