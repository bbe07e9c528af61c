"""Monitors: has what comes in changed (at once), and do the predictions still hold (once the labels are there)."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from oakbank.deploy.drift import homogeneity, ks, psi
from oakbank.intro.loans import with_outcomes
from oakbank.pipelines import CreditModel
from oakbank.world import CATEGORIES, FEATURES
from oakbank.world.files import write_text

PSI_MODERATE = 0.10
"""Look into it. This and the next are the industry's convention (N. Siddiqi, Credit Risk Scorecards, Wiley 2006)."""
PSI_MAJOR = 0.25
"""Do something about it."""
FAMILY_ALPHA = 0.05
"""Chance of one false alarm or more in a whole report, split evenly over its columns (Bonferroni). At 0.05 a column,
more than every fifth report of a calm month would raise one (a test counts them)."""
Z_ALARM = 4.0
GAP_ALARM = 0.03
"""Alarm at this many standard errors *and* this gap in default rate. Not 2 or 3: among the loans that a model chose to
grant, risk is underestimated somewhat even in a calm world (it grants where it errs on the low side)."""
SCORE = "default_probability"


@dataclass(frozen=True)
class ColumnDrift:
    """How far one column has moved."""

    column: str
    psi: float
    test: Literal["ks", "chi2"]
    statistic: float
    """Of the test: Kolmogorov-Smirnov's for numbers, chi-squared for categories."""
    p_value: float
    drifted: bool
    """Moved enough to matter (`PSI_MODERATE`) and more than chance would (`FAMILY_ALPHA` over the columns)."""


@dataclass(frozen=True)
class DriftReport:
    """How far the columns have moved, and the model's answers with them."""

    columns: dict[str, ColumnDrift]
    score: ColumnDrift | None

    @property
    def drifted(self) -> list[str]:
        """Names of the columns that have drifted, furthest first."""
        found = [one for one in self.columns.values() if one.drifted]
        return [one.column for one in sorted(found, key=lambda one: (-one.psi, one.column))]

    @property
    def share(self) -> float:
        """Share of the columns that have drifted."""
        return len(self.drifted) / len(self.columns)

    def frame(self) -> pd.DataFrame:
        """Return one row per column (and the score, last) to look at."""
        rows = [*self.columns.values(), *([] if self.score is None else [self.score])]
        return pd.DataFrame([asdict(row) for row in rows]).set_index("column")


def drift_report(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    columns: Sequence[str] = FEATURES,
    model: CreditModel | None = None,
) -> DriftReport:
    """Compare two sets of applications, column by column.

    Args:
        reference: Applications that the model in use knows, its training months for instance.
        current: A month as delivered. A column that is absent counts as missing throughout.
        columns: Which columns.
        model: Its predictions for both sets are compared too, if given.

    Raises:
        ValueError: A set is empty, or no columns are named.
    """
    if not len(columns):
        raise ValueError("name at least one column to watch")
    alpha = FAMILY_ALPHA / (len(columns) + (model is not None))
    compared = {
        column: compare_column(column, _get(reference, column), _get(current, column), alpha) for column in columns
    }
    score = None
    if model is not None:
        score = compare_column(SCORE, pd.Series(model.predict(reference)), pd.Series(model.predict(current)), alpha)
    return DriftReport(compared, score)


def _get(applications: pd.DataFrame, column: str) -> "pd.Series[Any]":
    if column in applications:
        return applications[column]
    return pd.Series(np.nan, index=applications.index, dtype=object if column in CATEGORIES else np.float64)


def compare_column(column: str, reference: "pd.Series[Any]", current: "pd.Series[Any]", alpha: float) -> ColumnDrift:
    """Say how far one column has moved, by its index and by the test that fits its kind, and whether that matters.

    Args:
        column: Its name.
        reference: Its values that the model in use knows, shape (n,).
        current: Its values as delivered, shape (m,).
        alpha: Greatest p-value that counts as more than chance.
    """
    moved = psi(reference, current)
    if column in CATEGORIES:
        statistic, p_value = homogeneity(reference, current)
    else:  # a missing number counts as a value below all others, so that a column that fails is seen
        statistic, p_value = ks(
            reference.astype(np.float64).fillna(-np.inf), current.astype(np.float64).fillna(-np.inf)
        )
    drifted = moved >= PSI_MODERATE and p_value < alpha
    return ColumnDrift(column, moved, "chi2" if column in CATEGORIES else "ks", statistic, p_value, drifted)


@dataclass(frozen=True)
class PerformanceReport:
    """Predictions held against what became of the loans."""

    rows: int
    """Granted loans with a prediction and a known outcome."""
    default_rate: float
    mean_probability: float
    gap: float
    """default_rate - mean_probability; above 0: the model is too hopeful."""
    z: float
    """The gap in standard errors, were the predictions right."""
    log_loss: float
    expected_log_loss: float
    """What the log-loss would be, were the predictions right."""
    alarm: bool


def performance_report(decisions: pd.DataFrame, outcomes: pd.DataFrame) -> PerformanceReport:
    """Compare predicted with realised defaults, for the loans whose outcome is known.

    Only granted loans ever have one, and only `label_delay` months later: a change in who pays back cannot be seen
    earlier, however good the monitor.

    Args:
        decisions: `application_id`, `granted`, `default_probability` (NaN: not a model's decision; left out).
        outcomes: `application_id`, `defaulted`.

    Raises:
        ValueError: No decision has an outcome yet, or an application is there twice.
    """
    decided = decisions[decisions["granted"] & decisions[SCORE].notna()]
    for name, ids in (("decisions", decided["application_id"]), ("outcomes", outcomes["application_id"])):
        if ids.duplicated().any():
            raise ValueError(f"the {name} have an application twice: it would count twice; drop duplicates first")
    loans = with_outcomes(decided, outcomes)
    if loans.empty:
        raise ValueError("none of these decisions has a known outcome: wait until the labels have arrived")
    y = loans["defaulted"].to_numpy(np.float64)
    p = np.clip(loans[SCORE].to_numpy(np.float64), 1e-9, 1 - 1e-9)
    gap = float(y.mean() - p.mean())
    z = float((y - p).sum() / np.sqrt((p * (1 - p)).sum()))
    return PerformanceReport(
        rows=len(loans),
        default_rate=float(y.mean()),
        mean_probability=float(p.mean()),
        gap=gap,
        z=z,
        log_loss=float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))),
        expected_log_loss=float(-np.mean(p * np.log(p) + (1 - p) * np.log(1 - p))),
        alarm=abs(z) >= Z_ALARM and abs(gap) >= GAP_ALARM,
    )


def evidently_report(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    path: str | Path,
    columns: Sequence[str] = FEATURES,
    *,
    numeric: Literal["ks", "psi"] = "ks",
) -> dict[str, dict[str, Any]]:
    """Write Evidently's drift report as one HTML page that needs no network; return its results.

    Evidently judges each column alone, at 0.05 (ks) or 0.1 (psi): expect false alarms among many columns. Its page has
    random ids in it, so two runs differ in bytes.

    Args:
        reference: As in `drift_report`; the columns must be there.
        current: As in `drift_report`; the columns must be there.
        path: Where to write the page.
        columns: Which columns.
        numeric: Method for numbers: the test's p-value, or the index. Categories: the index.

    Returns:
        For each column: `method`, `value`, `threshold`, `drifted`.
    """
    if absent := [column for column in columns if column not in reference or column not in current]:
        raise ValueError(
            f"Evidently needs every column in both sets; absent: {', '.join(absent)}; repair the feed first"
        )
    # Imported late: it takes seconds.
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    categories = [column for column in columns if column in CATEGORIES]
    definition = DataDefinition(
        numerical_columns=[column for column in columns if column not in CATEGORIES], categorical_columns=categories
    )
    before, now = (
        Dataset.from_pandas(frame[list(columns)].astype(dict.fromkeys(categories, str)), definition)
        for frame in (reference, current)
    )
    done = Report([DataDriftPreset(num_method=numeric, cat_method="psi")]).run(now, before)
    write_text(Path(path), done.get_html_str(as_iframe=False))
    results = {}
    for metric in done.dict()["metrics"]:
        config = metric["config"]
        if "column" in config:
            value, threshold = float(metric["value"]), float(config["threshold"])
            results[config["column"]] = {
                "method": config["method"],
                "value": value,
                "threshold": threshold,
                "drifted": value >= threshold if config["method"] == "psi" else value <= threshold,
            }
    return results
