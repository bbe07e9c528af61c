"""The README of the world says what the code does: its tables and constants are compared with their source."""

import re
from pathlib import Path

import pytest

from oakbank.world import Event, Scenario, economics, load_scenario, population, scenario, simulator
from oakbank.world.scenario import list_scenarios
from oakbank.world.schema import BANDS, COLUMNS, DECISIONS, OUTCOMES, schema_markdown

README = (Path(simulator.__file__).parent / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, list[str]]:
    """Return the cells of the table whose head starts with `heading`, by their first cell."""
    table = README[README.index(f"\n| {heading} |") + 1 :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_schema_is_generated() -> None:
    for columns in (COLUMNS, DECISIONS, OUTCOMES):
        table = schema_markdown(columns)
        assert table in README, f"put this into the README:\n{table}"
        assert len(table.splitlines()) == len(columns) + 2


def test_the_bands() -> None:
    assert rows("what") == {name: [f"{low:g}", f"{high:g}"] for name, (low, high) in BANDS.items()}


def test_the_scenarios() -> None:
    assert rows("scenario") == {name: [load_scenario(name).description] for name in list_scenarios()}


def test_the_fields_of_a_scenario_and_their_defaults() -> None:
    found = rows("field")
    assert found.pop("name`, `description")[0] == "required"
    assert found.pop("events")[0] == "none"
    assert set(found) == set(Scenario.model_fields) - {"name", "description", "events"}
    for name, (default, *_) in found.items():
        assert float(default) == Scenario.model_fields[name].default, name


def test_every_knob_is_explained() -> None:
    for name in (*Event.model_fields, *scenario.KNOBS, *scenario.LEVELS):
        assert f"`{name}`" in README, name
    for name in scenario.RISKS:
        column, _, value = name.partition(".")
        assert column in README if value else f"`{name}`" in README, name
    for name in scenario.MIXES:
        assert re.search(rf"new shares of a category: .*{name}", README), name


@pytest.mark.parametrize("name", ["LOAN_RATE", "FUNDING_RATE", "LOSS_GIVEN_DEFAULT", "COST_PER_LOAN"])
def test_the_money(name: str) -> None:
    assert float(rows("constant")[name][0]) == getattr(economics, name)


def test_the_bias() -> None:
    found = rows("source")
    assert f" {population.MEASUREMENT_BIAS:g} points" in found["measurement"][0]
    assert f" {population.INCOME_GAP:.2f} in" in found["society"][0]
    assert f" {Scenario.model_fields['officer_bias'].default:g} points" in found["history"][0]
    assert f"`SHARE_OF_B`, {population.SHARE_OF_B:.2f}" in README
