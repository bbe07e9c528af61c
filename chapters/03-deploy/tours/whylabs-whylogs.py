# /// script
# requires-python = "==3.11.*"
# dependencies = [
#     "whylogs[viz]", "numpy<2", "pandas<2.3", "pyarrow<21", "setuptools<81",
#     "duckdb", "filelock", "pydantic", "pyyaml",
# ]
# ///
"""Tour of whylogs: a month as a profile of some kilobytes, and what its comparison says of lesson 09's broken feed.

    python3 bootstrap.py tour whylabs-whylogs

A profile keeps counts and sketches of the columns, not the rows. Profiles of months merge into that of the year.
"""

import sys
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from feeds import COLUMNS, LESSON, ROWS, Feeds, as_in_the_lesson, indices, own_home, prepare  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.deploy.drift import EMPTY_SHARE, edges_of, ks  # noqa: E402


def solve(feeds: Feeds, folder: Path) -> tuple[Any, dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the profile of the past year, those of both banks, and the drift of each column by bank."""
    import whylogs as why  # imported late: it reports home when imported, and by then it is told not to
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    for month, rows in feeds.past.groupby("month"):
        why.log(rows[list(COLUMNS)]).writer("local").write(dest=str(folder / f"{month}.bin"))
    first, *others = (why.read(str(path)).view() for path in sorted(folder.glob("*.bin")))
    year = first
    for view in others:
        year = year.merge(view)
    today = {name: why.log(rows[list(COLUMNS)]).view() for name, rows in feeds.today.items()}
    scores = {name: calculate_drift_scores(view, year, with_thresholds=True) for name, view in today.items()}
    return year, today, scores


def psi_of_profiles(year: Any, today: Any, edges: Any) -> float:
    """Return the PSI of debts from two profiles alone, in the bins of the lesson."""
    shares = []
    for view in (year, today):
        sketch = view.get_column("debts").get_metric("distribution").kll.value
        shares.append(np.diff(sketch.get_cdf(edges.tolist()), prepend=0))
    p, q = (np.where(share <= 0, EMPTY_SHARE, share) for share in shares)
    return float(np.sum((p - q) * np.log(p / q)))


def by_constraints(view: Any, past: "pd.Series[float]") -> dict[str, bool]:
    """Return whether a bank's profile holds two constraints on debts: a range, and a quantile."""
    from whylogs.core.constraints import ConstraintsBuilder
    from whylogs.core.constraints.factories import is_in_range, quantile_between_range

    builder = ConstraintsBuilder(view)
    builder.add_constraint(is_in_range("debts", 0, 30_000))
    builder.add_constraint(quantile_between_range("debts", 0.5, *np.quantile(past, (0.25, 0.75)).tolist()))
    return {one.name: one.passed == 1 for one in builder.build().generate_constraints_report()}


def agree(found: float, wanted: float, what: str) -> None:
    """Hold a number from a sketch against the one from the rows.

    Raises:
        RuntimeError: They differ by more than a hundredth.
    """
    if not abs(found - wanted) < 0.01:
        raise RuntimeError(f"the {what} is {found:.3f} by whylogs, {wanted:.3f} by the rows")


def main() -> None:
    """Run the tour."""
    tour = Tour("WhyLabs whylogs", "whylogs", "pandas")
    with own_home() as home:
        folder = Path(home)
        feeds = prepare()
        tour.plain("the PSI of all columns in pandas", partial(indices, feeds))
        year, today, scores = tour.system_does(partial(solve, feeds, folder))
        sizes = [path.stat().st_size for path in folder.glob("*.bin")]
        feeds.today["calm"].to_parquet(folder / "rows.parquet")
        rows = (folder / "rows.parquet").stat().st_size
    past = feeds.past["debts"]
    tour.say(
        f"a year of {len(feeds.past)} rows: {len(sizes)} profiles of {max(sizes) / 1e3:.0f} kB at most, merged "
        f"into one ({ROWS} rows as Parquet: {rows / 1e3:.0f} kB; a profile has a bound, the rows have none)"
    )
    for name, found in scores.items():
        debts = found["debts"]
        agree(debts["statistic"], ks(past, feeds.today[name]["debts"])[0], f"statistic of {name}")
        others = [f"{column} {one['drift_category']}" for column, one in found.items() if column != "debts"]
        moved = [one for one in others if not one.endswith("NO_DRIFT")]
        tour.say(
            f"{name}: debts {debts['drift_category']} ({debts['algorithm']} {debts['statistic']:.3f}, "
            f"p {debts['pvalue']:.2g}); of the others: {', '.join(moved) or 'none'}"
        )
        for constraint, holds in by_constraints(today[name], past).items():
            tour.say(f"    {constraint}: {'holds' if holds else 'FAILS'}")
    psi = {name: psi_of_profiles(year, view, edges_of(past)) for name, view in today.items()}
    tour.say(f"the PSI of debts from the profiles alone: {as_in_the_lesson(psi, within=0.05)}; in the lesson {LESSON}")
    tour.say(
        "present name: whylogs (1.6.4 of December 2024 is the last). WhyLabs, its company, was bought by Apple; the "
        "hosted service ends, its source is open (so the documentation of ZenML, read in November 2026)"
    )
    tour.end(
        stores="a file for each month: counts, least and greatest value, sketches of quantiles and of frequent values",
        asks="Python 3.11 and NumPy 1; a quantile or a drift test for each column: a range says nothing of a unit",
        not_proven="which threshold rings how often; the frequent values in a profile may still name a person",
        real=(
            "# there is no account to have any more; profiles are files, and a bucket keeps them:",
            "why.log(rows).writer('s3').option(bucket_name='oakbank').write()",
            "year = reduce(lambda a, b: a.merge(b), views)  # any monitor can merge and compare them",
            "NotebookProfileVisualizer().set_profiles(target_profile_view=day, reference_profile_view=year)",
            "git clone https://github.com/whylabs/whylabs-oss  # the service's source, to run it yourself",
        ),
    )


if __name__ == "__main__":
    main()
