"""More months cost time in proportion and hardly more memory; a step that collects everything is seen."""

import json
from pathlib import Path
from typing import Any

import pytest

from oakbank.pipelines.scaling import (
    END,
    README,
    RESULTS,
    START,
    STEPS,
    STREAMED,
    exponent,
    measure,
    measure_step,
    renewed,
    table,
)

SMALL, LARGE = 15, 45
"""Months. The smaller one fills a batch, so that growth above it is of what a step keeps."""
KEPT = 200
"""Bytes of peak for each further row, which a step that keeps its rows cannot do with: a row has 17 columns."""

COLLECTS = '''
import time

from oakbank.pipelines.steps import LABEL_COLUMNS
from oakbank.pipelines.streams import read_batches
from oakbank.world.lake import write_parquet
from oakbank.pipelines.features import build_features
import pandas as pd


def features(accepted, matrix):
    """Right, and as people write it first: a list of parts, put together at the end."""
    parts = [batch.to_pandas() for batch in read_batches(accepted)]
    rows = pd.concat(parts, ignore_index=True)
    found = pd.concat([build_features(part) for part in parts], ignore_index=True)
    write_parquet(found.assign(**{f"_{name}": rows[name] for name in LABEL_COLUMNS}), matrix)


def wrong():
    raise ValueError("no such month")
'''


def growth(small: dict[str, Any], large: dict[str, Any], step: str) -> float:
    """Bytes of peak memory for each further row."""
    more = large["steps"][step]["peak_mb"] - small["steps"][step]["peak_mb"]
    return float(more * 1e6 / (large["rows"] - small["rows"]))


@pytest.fixture(scope="module")
def banks(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [tmp_path_factory.mktemp("bank") for _ in (SMALL, LARGE)]


@pytest.fixture(scope="module")
def runs(banks: list[Path]) -> list[dict[str, Any]]:
    return [measure(months, folder) for months, folder in zip((SMALL, LARGE), banks, strict=True)]


@pytest.mark.parametrize("step", STREAMED)
def test_a_streamed_step_keeps_no_rows(runs: list[dict[str, Any]], step: str) -> None:
    small, large = runs
    assert large["rows"] > 2.5 * small["rows"]
    assert growth(small, large, step) < KEPT


def test_the_work_grows_with_the_rows_and_not_with_their_square(runs: list[dict[str, Any]]) -> None:
    for step in STEPS:
        assert exponent([run["rows"] for run in runs], [run["steps"][step]["cpu"] for run in runs]) < 1.5, step


def test_a_step_that_collects_everything_is_seen(
    runs: list[dict[str, Any]], banks: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "collecting.py").write_text(COLLECTS)
    monkeypatch.syspath_prepend(tmp_path)
    planted = [
        {"rows": run["rows"], "steps": {"features": measure_step("collecting:features", files)}}
        for run, folder in zip(runs, banks, strict=True)
        for files in [{"accepted": folder / "accepted.parquet", "matrix": tmp_path / "matrix.parquet"}]
    ]
    assert growth(planted[0], planted[1], "features") > KEPT > growth(runs[0], runs[1], "features")
    with pytest.raises(RuntimeError, match=r"(?s)collecting:wrong failed: .*no such month"):
        measure_step("collecting:wrong", {})


def test_slopes() -> None:
    sizes = [1, 10, 100]
    assert exponent(sizes, [3, 3, 3]) == pytest.approx(0)
    assert exponent(sizes, [2, 20, 200]) == pytest.approx(1)
    assert exponent(sizes, [1, 100, 10_000]) == pytest.approx(2)


def test_the_kept_measurement_is_whole_and_says_so_in_a_table() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert [run["times"] for run in found["runs"]] == [1, 10, 100]
    first, last = found["runs"][0], found["runs"][-1]
    assert last["rows"] > 90 * first["rows"]
    rows = [run["rows"] for run in found["runs"][-2:]]
    for step in STEPS:
        cpu = [run["steps"][step]["cpu"] for run in found["runs"][-2:]]
        assert exponent(rows, cpu) < 1.3, step  # of a tenth of a second the hundredths are noise
    for step in STREAMED:
        assert growth(first, last, step) < KEPT, step
    text = table(found)
    assert all(f"| `{step}` |" in text for step in STEPS)
    assert f"{last['rows']:,} labelled rows" in text


def test_the_readme_shows_what_was_measured() -> None:
    found = json.loads(RESULTS.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    assert renewed(text, table(found)) == text, "run `python -m oakbank.pipelines.scaling table`"
    assert renewed(f"{START}\nold numbers\n{END}", table(found)) == f"{START}\n{table(found)}\n{END}"
    with pytest.raises(ValueError, match="needs one line"):
        renewed("no place", table(found))
