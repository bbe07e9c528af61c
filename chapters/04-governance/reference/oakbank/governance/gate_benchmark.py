"""How often the fairness gate is wrong: on worlds whose true ratio is known, with the gate and with the bare ratio.

A world's loan officers decide over one month. How many points they take from group B is known (`officer_bias`), and so
is the ratio that they would have over any number of people: below the limit they are unfair, else fair.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pandas as pd

from oakbank.governance.disparity import Rate, rate_of, selection_rates
from oakbank.governance.fairness import FOUR_FIFTHS, Word, judge
from oakbank.world import World, load_scenario
from oakbank.world.files import write_measured

BIAS = {"fair": -20.0, "just unfair": 10.0, "unfair": 30.0}
"""Points that officers take from group B. With -20 they give back what the bureau takes."""
PEOPLE = (200, 500, 2000)
"""Applications in the month."""
MONTH = -1
KEPT = Path(__file__).with_name("gate_benchmark.json")
"""What `python -m oakbank.governance.gate_benchmark` found, with its day and versions."""


@dataclass(frozen=True)
class Errors:
    """How often a rule was wrong, each with its 95 % interval (Wilson)."""

    kind: str
    people: int
    true_ratio: float
    wrong: Rate
    """Of fair worlds: refused (false refusals). Of unfair ones: let through (misses)."""
    unsure: Rate
    """`not enough data`: it does not pass, and is no refusal."""
    wrong_by_point: Rate
    """The same where the ratio alone decides, without its interval."""


def officers(seed: int, kind: str, people: int) -> tuple["pd.Series[bool]", "pd.Series[str]"]:
    """Return what a world's officers decided in one month, and the group of each applicant, both of shape (people,)."""
    changes = {"officer_bias": BIAS[kind], "applications_per_month": people}
    world = World(seed, load_scenario("calm").model_copy(update=changes))
    return world.officer_decisions(MONTH)["granted"], world.applications(MONTH)["group"].astype(str)


def true_ratio(kind: str, people: int = 200_000) -> float:
    """Return B's approval rate as a part of A's, over so many people that chance hardly matters."""
    rates = selection_rates(*officers(0, kind, people))
    return rates["B"].rate / rates["A"].rate


def measure(seeds: Sequence[int], kind: str, people: int) -> dict[str, Any]:
    """Let the gate judge one month of each world.

    Returns:
        `kind`, `people`, `worlds`; how many of them got each `Word`; `below` (worlds whose ratio is under the limit).
    """
    verdicts = [judge(*officers(seed, kind, people), min_rows=30) for seed in seeds]
    words = Counter(verdict.word for verdict in verdicts)
    below = sum(verdict.disparity.ratio < FOUR_FIFTHS for verdict in verdicts)
    counts = {word: words[word] for word in get_args(Word)}
    return {"kind": kind, "people": people, "worlds": len(verdicts)} | counts | {"below": below}


def errors(row: dict[str, Any], ratio: float) -> Errors:
    """Return how often the gate was wrong in a row of `measure`, whose worlds have the true ratio `ratio`."""
    worlds, fair = row["worlds"], ratio >= FOUR_FIFTHS
    wrong = row["refuse"] if fair else row["pass"]
    by_point = row["below"] if fair else worlds - row["below"]
    shares = [rate_of(hits, worlds) for hits in (wrong, row["not enough data"], by_point)]
    return Errors(row["kind"], row["people"], ratio, *shares)


def kept(path: Path = KEPT) -> dict[str, Any]:
    """Return what `main` has written: `date`, `versions`, `true_ratio` by kind, and the `rows` of `measure`."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Let the gate judge many worlds, and keep what it said in `gate_benchmark.json`."""
    parser = argparse.ArgumentParser(
        prog="python -m oakbank.governance.gate_benchmark", description="errors of the gate"
    )
    parser.add_argument("--into", type=Path, default=KEPT, help="file to write")
    parser.add_argument("--worlds", type=int, default=200, help="of each kind and size")
    options = parser.parse_args(arguments)
    ratios = {kind: round(true_ratio(kind), 4) for kind in BIAS}
    rows = [measure(range(options.worlds), kind, people) for kind, people in product(BIAS, PEOPLE)]
    for found in (errors(row, ratios[row["kind"]]) for row in rows):
        print(f"{found.kind} ({found.true_ratio:.2f}), {found.people} people: wrong {_text(found.wrong)}, ", end="")
        print(f"not enough data {_text(found.unsure)}; by the ratio alone wrong {_text(found.wrong_by_point)}")
    write_measured(options.into, ("numpy", "pandas"), true_ratio=ratios, rows=rows)


def _text(rate: Rate) -> str:
    return f"{rate.rate:.1%} ({rate.low:.1%} to {rate.high:.1%})"


if __name__ == "__main__":
    main()
