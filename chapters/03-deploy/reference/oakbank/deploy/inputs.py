"""Into which bin of the reference each input falls: what a metric can say of the applications without naming one."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from oakbank.deploy.drift import EMPTY_SHARE, bin_of, edges_of
from oakbank.world import FEATURES

BINS = 10
"""For each column. Each is a time series at Prometheus, for each instance of the service."""


class InputBins:
    """The bins of each column, and the share of the reference in each; as in `oakbank.deploy.drift.psi`.

    Args:
        reference: Applications that the model in use knows, its training months for instance.
        columns: Which columns to count.

    Raises:
        ValueError: The reference is empty, or lacks a column.
    """

    def __init__(self, reference: pd.DataFrame, columns: Sequence[str] = FEATURES) -> None:
        if absent := [column for column in columns if column not in reference]:
            raise ValueError(f"the reference lacks {', '.join(absent)}: take the applications the model was trained on")
        if reference.empty:
            raise ValueError("the reference is empty: take the applications the model was trained on")
        self.edges = {column: edges_of(reference[column], BINS) for column in columns}
        self.shares: dict[str, list[float]] = {}
        """By column: the share of the reference in each bin, never 0."""
        for column, edges in self.edges.items():
            counts = np.bincount(bin_of(reference[column], edges), minlength=len(edges) + 2)
            shares = counts / counts.sum()
            self.shares[column] = np.where(shares == 0, EMPTY_SHARE, shares).tolist()
        # One request has one row: plain Python is quicker than an array of length 1.
        self._places = {
            column: {value: place + 1 for place, value in enumerate(edges)} if isinstance(edges, pd.Index) else None
            for column, edges in self.edges.items()
        }
        self._cuts = {
            column: [] if isinstance(edges, pd.Index) else edges.tolist() for column, edges in self.edges.items()
        }

    def of(self, application: Mapping[str, Any]) -> dict[str, int]:
        """Return the bin of each column of one application, by the rule of `oakbank.deploy.drift.bin_of`."""
        found = {}
        for column, edges in self.edges.items():
            value, places = application.get(column), self._places[column]
            if value is None or value != value:
                found[column] = 0
            elif places is None:
                found[column] = bisect_right(self._cuts[column], value) + 1
            else:
                found[column] = places.get(value, len(edges) + 1)
        return found
