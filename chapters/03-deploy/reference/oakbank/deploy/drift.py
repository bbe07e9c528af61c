"""Drift measures from scratch: the population stability index and the Kolmogorov-Smirnov test."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

EMPTY_SHARE = 1e-4
"""What an empty bin counts as: without it one empty bin makes the index infinite. Evidently takes the same."""

Ints = NDArray[np.intp]


def bin_numbers(reference: ArrayLike, current: ArrayLike, bins: int | ArrayLike = 10) -> tuple[Ints, Ints, int]:
    """Return the bin of each value of both samples, and how many bins there are.

    Bin 0 is for missing values. Numbers: bins between the reference's quantiles, open at both ends. Categories, and
    numbers with no more than `bins` different values: a bin for each value of the reference, and one for all others.

    Args:
        reference: Shape (n,), numbers or categories.
        current: Shape (m,).
        bins: How many quantile bins (10 is the convention), or the edges of the bins.

    Raises:
        ValueError: A sample is empty, or `bins` is below 2.
    """
    before, now = pd.Series(reference), pd.Series(current)
    if before.empty or now.empty:
        raise ValueError("drift needs at least one value in each of the two samples")
    count = bins if isinstance(bins, int) else None
    if count is not None and count < 2:
        raise ValueError(f"bins must be 2 or more, not {count}")
    values = np.sort(before.dropna().unique()) if pd.api.types.is_numeric_dtype(before) else None
    if values is None or (count is not None and len(values) <= count):
        known = pd.Index(sorted(before.dropna().unique()))
        codes = [known.get_indexer(pd.Index(sample)) for sample in (before, now)]
        numbers = [np.where(code < 0, len(known) + 1, code + 1) for code in codes]
        total = len(known) + 2
    else:
        if count is None:
            edges = np.asarray(bins, dtype=np.float64)[1:-1]
        else:
            edges = np.unique(np.quantile(before.dropna().to_numpy(np.float64), np.arange(1, count) / count))
        numbers = [1 + np.searchsorted(edges, sample.to_numpy(np.float64), side="right") for sample in (before, now)]
        total = len(edges) + 2
    was, is_ = (
        np.where(s.isna().to_numpy(), 0, k).astype(np.intp) for s, k in zip((before, now), numbers, strict=True)
    )
    return was, is_, total


def psi(reference: ArrayLike, current: ArrayLike, bins: int | ArrayLike = 10) -> float:
    """Return the population stability index: sum over bins of (p - q) ln(p / q); 0 for equal shares.

    Its usual reading is a convention of the trade, not a test (N. Siddiqi, Credit Risk Scorecards, Wiley 2006): below
    0.1 stable, above 0.25 shifted. It is never 0 by chance: two samples of n and m rows from one population have a
    mean index of about (bins - 1)(1/n + 1/m) (B. Yurdakul, Statistical Properties of Population Stability Index,
    Western Michigan University 2018), so with 100 rows the convention cries wolf.

    Args:
        reference: Shape (n,), numbers or categories.
        current: Shape (m,).
        bins: See `bin_numbers`.
    """
    was, is_, total = bin_numbers(reference, current, bins)
    p, q = (np.bincount(codes, minlength=total) / len(codes) for codes in (was, is_))
    p, q = np.where(p == 0, EMPTY_SHARE, p), np.where(q == 0, EMPTY_SHARE, q)
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

    was, is_, total = bin_numbers(reference, current)
    table = np.array([np.bincount(codes, minlength=total) for codes in (was, is_)])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 0.0, 1.0
    result = chi2_contingency(table)
    return float(result[0]), float(result[1])
