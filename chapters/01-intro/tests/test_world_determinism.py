"""Same seed, same bytes: in any order, any process, on any processor. Run as a script it prints the fingerprints."""

import copy
import hashlib
import os
import pickle
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oakbank.world import Lake, World, load_scenario, publish_month

# Of features, truth, officers' decisions and outcomes: a change here is a change of every number in the course.
GOLDEN = "b77ef0776f067afc74202e91cf5dca67f59722f8eb401b530326220e5238287c"
MONTHS = (-12, 0, 4, 9, 16)


def small_world(seed: int, scenario: str = "stormy", applications: int = 500) -> World:
    return World(seed, load_scenario(scenario).model_copy(update={"applications_per_month": applications}))


def frames(world: World, month: int) -> list[pd.DataFrame]:
    """Return all that the world says of a month; every third loan of three months before was granted."""
    earlier = world.truth(month - world.scenario.label_delay)["application_id"]
    return [
        world.applications(month),
        world.truth(month),
        world.officer_decisions(month),
        world.outcomes(month, earlier[::3]),
    ]


def digest(tables: list[pd.DataFrame]) -> str:
    """Hash names, types and values, free of what a pandas or pyarrow version adds to a file."""
    sha = hashlib.sha256()
    for table in tables:
        for name, column in table.items():
            kind = str(column.dtype)
            if isinstance(column.dtype, pd.CategoricalDtype):
                kind += ",".join(column.cat.categories)
                values = column.cat.codes.to_numpy()
            else:
                values = column.to_numpy()
            if values.dtype.kind == "M":
                values = values.astype(np.int64)
            sha.update(f"{name} {kind} {len(values)}".encode())
            sha.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
    return sha.hexdigest()


def fingerprint() -> str:
    world = small_world(20)
    return digest([table for month in MONTHS for table in frames(world, month)])


def lake_fingerprint() -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = publish_month(small_world(20), Lake(folder), 9)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def test_golden() -> None:
    assert fingerprint() == GOLDEN, "the simulator's numbers changed: a new NumPy, another platform, or an edit"


def dispatched() -> str:
    """Return the processor features that NumPy picks at run time, as NPY_DISABLE_CPU_FEATURES takes them."""
    return " ".join(import_module("numpy._core._multiarray_umath").__cpu_dispatch__)


@pytest.mark.parametrize(
    "changes",
    [{"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "NPY_DISABLE_CPU_FEATURES": dispatched()}],
    ids=["hash-seed", "oldest-processor"],
)
def test_another_process_gives_the_same_bytes(changes: dict[str, str]) -> None:
    # NumPy's exp and log differ in the last bit from one processor to the next; the world's rounding must hide it.
    done = subprocess.run(
        [sys.executable, __file__], env=os.environ | changes, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == [fingerprint(), lake_fingerprint()]


def test_same_seed_same_lake_file(tmp_path: Path) -> None:
    one = publish_month(small_world(5), Lake(tmp_path / "one"), 3).read_bytes()
    two = publish_month(small_world(5), Lake(tmp_path / "two"), 3).read_bytes()
    other = publish_month(small_world(6), Lake(tmp_path / "other"), 3).read_bytes()
    assert one == two
    assert one != other


def test_seeds_and_months_differ_in_every_drawn_column() -> None:
    world, other = small_world(1), small_world(2)
    for column in ("age", "income", "debts", "bureau_score", "amount", "term", "employment", "channel", "group"):
        here = world.applications(0)[column]
        assert not here.equals(other.applications(0)[column]), column
        assert not here.equals(world.applications(1)[column]), column
    assert not world.truth(0)["would_default"].equals(other.truth(0)["would_default"])


def test_months_do_not_depend_on_the_order_asked() -> None:
    forward, backward = small_world(11), small_world(11)
    months = [-12, -1, 0, 3, 4, 8, 9, 15, 23]
    one = {month: digest(frames(forward, month)) for month in months}
    two = {month: digest(frames(backward, month)) for month in reversed(months)}
    assert one == two
    assert len(set(one.values())) == len(months)


def test_streams_of_a_month_are_independent() -> None:
    """Whether an applicant defaults must not follow from the draws that made the applicant, given the true risk."""
    world = small_world(3, "calm", 50_000)
    truth, feed = world.truth(2), world.applications(2)
    surprise = truth["would_default"] - truth["default_probability"]
    granted = world.officer_decisions(2)["granted"]
    noise = granted - granted.groupby(feed["bureau_score"].round(-1)).transform("mean")
    for column in ("income", "amount", "age"):
        # 50,000 rows: a correlation's standard error is 0.0045
        assert abs(np.corrcoef(surprise, feed[column])[0, 1]) < 0.02, column
    assert abs(np.corrcoef(surprise, noise)[0, 1]) < 0.02


def test_what_the_world_returns_is_the_callers_own() -> None:
    world = small_world(4)
    before = digest(frames(world, 0))
    for table in frames(world, 0):
        for column in table.columns:
            if isinstance(table[column].dtype, pd.CategoricalDtype):
                table[column] = table[column].cat.rename_categories(str.upper)
            else:
                table[column].to_numpy(copy=False).setflags(write=True)
                table.loc[:, column] = table[column].iloc[0]
        table.drop(table.index[:10], inplace=True)
    assert digest(frames(world, 0)) == before


@pytest.mark.parametrize("number", [np.int8, np.int16, np.int64])
def test_numpy_integers_are_months_and_seeds(number: Any) -> None:
    plain = digest(frames(small_world(3), 3))
    world = small_world(number(3))
    assert digest(frames(world, number(3))) == plain
    assert repr(world) == "World(seed=3, scenario='stormy')"


def test_a_month_of_the_feed_can_be_asked_back() -> None:
    world = small_world(1)
    month = world.applications(5)["month"].iloc[0]
    assert world.truth(month)["application_id"].equals(world.applications(5)["application_id"])


@pytest.mark.parametrize("month", [3.0, "3", None])
def test_what_is_not_a_whole_number_is_no_month(month: object) -> None:
    world = small_world(1)
    world.truth(3)  # in the cache, where 3.0 == 3 would find it
    with pytest.raises(TypeError):
        world.truth(month)  # type: ignore[arg-type]


def test_bad_seeds_and_months() -> None:
    with pytest.raises(ValueError, match="seed must be 0 or more"):
        World(-1)
    with pytest.raises(TypeError):
        World(1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="month must be -100 or later, not -101"):
        World(1).applications(-101)


def test_a_world_travels_to_a_worker_process() -> None:
    world = small_world(9)
    expected = digest(frames(world, 1))
    for twin in (pickle.loads(pickle.dumps(world)), copy.deepcopy(world)):
        assert twin is not world
        assert digest(frames(twin, 1)) == expected


if __name__ == "__main__":
    print(fingerprint(), lake_fingerprint())
