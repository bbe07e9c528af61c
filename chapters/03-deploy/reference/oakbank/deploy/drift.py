"""Drift measures from scratch: the population stability index and the Kolmogorov-Smirnov test."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

EMPTY_SHARE = 1e-4
"""What an empty bin counts as: without it one empty bin makes the index infinite. Evidently takes the same."""

Ints = NDArray[np.intp]


def edges_of(reference: ArrayLike, bins: int = 10) -> "NDArray[np.float64] | pd.Index[Any]":
    """Return what parts the bins that a reference is cut into.

    Numbers: the quantiles 1/bins, 2/bins, ... of the reference, each once, so that its bins have about equal shares.
    Categories, and numbers with no more than `bins` different values: those values, as an index.

    Args:
        reference: Shape (n,), numbers or categories; missing values are left out.
        bins: How many quantile bins; 10 is the convention.

    Raises:
        ValueError: `bins` is below 2.
    """
    if bins < 2:
        raise ValueError(f"bins must be 2 or more, not {bins}")
    there = pd.Series(reference).dropna()
    values = there.unique()
    if len(values) <= bins or not pd.api.types.is_numeric_dtype(there):
        known: pd.Index[Any] = pd.Index(sorted(values))
        return known
    edges: NDArray[np.float64] = np.unique(np.quantile(there.to_numpy(np.float64), np.arange(1, bins) / bins))
    return edges


def bin_of(values: ArrayLike, edges: "NDArray[np.float64] | pd.Index[Any]") -> Ints:
    """Return the bin of each value, from 0 to len(edges) + 1; bin 0 is for missing values.

    Args:
        values: Shape (n,), numbers or categories.
        edges: Numbers, rising: bin 1 lies below the first of them, the last bin above all, and a value on an edge is
            in the bin above it. Or an index of values: a bin for each, in its order, and the last for all others.
    """
    sample = pd.Series(values)
    if isinstance(edges, pd.Index):
        place = edges.get_indexer(pd.Index(sample))
        place = np.where(place < 0, len(edges), place)
    else:
        place = np.searchsorted(edges, sample.to_numpy(np.float64), side="right")
    return np.where(sample.isna(), 0, place + 1)


def bin_counts(reference: ArrayLike, current: ArrayLike, bins: int | ArrayLike = 10) -> Ints:
    """Return how many values of each sample are in each bin: shape (2, number of bins), the reference's first.

    Args:
        reference: Shape (n,), numbers or categories.
        current: Shape (m,).
        bins: How many, see `edges_of`; or the edges between them, numbers that rise.

    Raises:
        ValueError: A sample is empty, or `bins` is below 2.
    """
    samples = (pd.Series(reference), pd.Series(current))
    if any(sample.empty for sample in samples):
        raise ValueError("drift needs at least one value in each of the two samples")
    edges = edges_of(samples[0], bins) if isinstance(bins, int) else np.asarray(bins, np.float64)
    return np.array([np.bincount(bin_of(sample, edges), minlength=len(edges) + 2) for sample in samples])


def psi(reference: ArrayLike, current: ArrayLike, bins: int | ArrayLike = 10) -> float:
    """Return the population stability index: sum over bins of (p - q) ln(p / q); 0 for equal shares.

    Its usual reading is a convention of the trade, not a test (N. Siddiqi, Credit Risk Scorecards, Wiley 2006): below
    0.1 stable, above 0.25 shifted. It is never 0 by chance: two samples of n and m rows from one population have a
    mean index of about (bins - 1)(1/n + 1/m) (B. Yurdakul, Statistical Properties of Population Stability Index,
    Western Michigan University 2018), so with 100 rows the convention cries wolf.

    Args:
        reference: Shape (n,), numbers or categories.
        current: Shape (m,).
        bins: See `bin_counts`.
    """
    counts = bin_counts(reference, current, bins)
    shares = counts / counts.sum(axis=1, keepdims=True)
    p, q = np.where(shares == 0, EMPTY_SHARE, shares)
    return float(np.sum((p - q) * np.log(p / q)))


def ks(reference: ArrayLike, current: ArrayLike) -> tuple[float, float]:
    """Return the two-sample Kolmogorov-Smirnov statistic and its two-sided p-value.

    The statistic is the largest gap between the two empirical distribution functions. The p-value is Kolmogorov's limit
    with Stephens' correction for finite samples (JRSS B 32, 1970); with ties (counts, rounded money) it is too large,
    which errs on the side of no alarm.

    Args:
        reference: Numbers, shape (n,). Shape (m,) for `current`.
        current: The other sample.

    Raises:
        ValueError: A sample is empty or has missing values.
    """
    a, b = np.sort(np.asarray(reference, np.float64)), np.sort(np.asarray(current, np.float64))
    if not len(a) or not len(b) or np.isnan(a[-1]) or np.isnan(b[-1]):  # NaN sorts to the end
        raise ValueError("ks needs numbers in both samples: drop or count the missing ones first")
    both = np.concatenate([a, b])
    gap = np.searchsorted(a, both, side="right") / len(a) - np.searchsorted(b, both, side="right") / len(b)
    statistic = float(np.abs(gap).max())
    root = np.sqrt(len(a) * len(b) / (len(a) + len(b)))
    scaled = (root + 0.12 + 0.11 / root) * statistic
    if scaled < 0.2:  # there the p-value is 1 to ten digits, and the series below converges too slowly
        return statistic, 1.0
    k = np.arange(1, 101)
    return statistic, float(np.clip(2 * np.sum((-1.0) ** (k - 1) * np.exp(-2 * (k * scaled) ** 2)), 0, 1))


def homogeneity(reference: ArrayLike, current: ArrayLike) -> tuple[float, float]:
    """Return the chi-squared statistic and p-value of both samples having the same shares of categories."""
    from scipy.stats import chi2_contingency

    table = bin_counts(reference, current)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 0.0, 1.0
    result = chi2_contingency(table)
    return float(result[0]), float(result[1])
