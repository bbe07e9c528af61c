"""The plots of a report, as PNG: the same numbers give the same bytes with the same Matplotlib."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from oakbank.governance.disparity import Rate

BLUE, ORANGE = "#0072B2", "#C04A00"
STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


def calibration(bins: Sequence[Mapping[str, Any]]) -> bytes:
    """Draw observed against predicted default rates, with intervals.

    Args:
        bins: As in the report of `assess`: `predicted`, `observed`, `interval`, `rows`.
    """

    def fill(axes: Axes) -> None:
        predicted, observed = [one["predicted"] for one in bins], [one["observed"] for one in bins]
        low = [one["observed"] - one["interval"][0] for one in bins]
        high = [one["interval"][1] - one["observed"] for one in bins]
        most = 1.05 * max(max(predicted), *(one["interval"][1] for one in bins))
        axes.plot([0, most], [0, most], color="#555555", linestyle="--", label="as predicted")
        axes.errorbar(predicted, observed, [low, high], fmt="o", color=BLUE, capsize=3, label="observed, 95 % interval")
        axes.set(xlabel="predicted default rate", ylabel="observed default rate", xlim=(0, most), ylim=(0, most))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.legend(loc="upper left")

    return _drawn(fill, 3.4)


def approvals(rates: Mapping[str, Mapping[str, Rate]]) -> bytes:
    """Draw approval rates by group with their intervals, for each set of decisions by its name."""

    def fill(axes: Axes) -> None:
        names, place = [], 0.0
        for colour, (title, groups) in zip((BLUE, ORANGE), rates.items(), strict=False):
            for name, rate in groups.items():
                error = [[rate.rate - rate.low], [rate.high - rate.rate]]
                axes.errorbar([rate.rate], [place], xerr=error, fmt="o", color=colour, capsize=4)
                names.append((place, f"{title}: group {name}"))
                place -= 1
            place -= 0.6
        axes.set_yticks([at for at, _ in names], [name for _, name in names])
        axes.set_xlabel("approved, with 95 % interval")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.margins(0.12)

    return _drawn(fill, 0.8 + 0.4 * sum(map(len, rates.values())))


def bars(shares: Mapping[str, float], label: str) -> bytes:
    """Draw shares as bars, the first on top."""

    def fill(axes: Axes) -> None:
        names = list(shares)[::-1]
        drawn = axes.barh(names, [shares[name] for name in names], color=BLUE)
        axes.bar_label(drawn, fmt="{:.0%}", padding=3)
        axes.set_xlabel(label)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))

    return _drawn(fill, 0.9 + 0.28 * len(shares))


def _drawn(fill: Callable[[Axes], None], height: float) -> bytes:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, height), layout="constrained")
        fill(figure.add_subplot())
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=150, metadata={"Software": None})
    return stream.getvalue()
