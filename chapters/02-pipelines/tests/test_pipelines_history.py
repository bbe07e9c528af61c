"""History of segments: what was known on the day, the same in the training table and in the online store."""

import contextlib
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.pipelines.features import OAKBANK, feature_matrix
from oakbank.pipelines.history import (
    HISTORY,
    OAKBANK_HISTORY,
    HistoryError,
    HistorySpec,
    changes,
    history,
    segment_key,
    segment_keys,
    training_view,
)
from oakbank.pipelines.online import HistoryStore
from oakbank.world import Lake, World, load_scenario
from oakbank.world.lake import read_parquet, write_parquet

Bank = tuple[pd.DataFrame, pd.DataFrame]
SMALL = HistorySpec(segments=(("channel",), ("region", "housing")), window=2, prior=3.0)


def bank(world: World, months: range) -> Bank:
    """Return all applications and all outcomes of these months of application."""
    applications = [world.applications(month) for month in months]
    outcomes = []
    for month in months:
        granted = world.officer_decisions(month).query("granted")["application_id"]
        outcomes.append(world.outcomes(month + world.scenario.label_delay, granted))
    return pd.concat(applications, ignore_index=True), pd.concat(outcomes, ignore_index=True)


@pytest.fixture(scope="module")
def year() -> Bank:
    return bank(World(5, load_scenario("calm").model_copy(update={"applications_per_month": 150})), range(-12, 4))


def by_hand(row: pd.Series, applications: pd.DataFrame, outcomes: pd.DataFrame, spec: HistorySpec) -> list[float]:
    """Return one row's features as slowly and plainly as one can: the oracle."""
    known = outcomes[outcomes["known_month"] < row["month"]].merge(applications, on="application_id")
    overall = known["defaulted"].sum() / len(known) if len(known) else np.nan
    values = []
    for columns in spec.segments:
        mine = known[np.logical_and.reduce([known[column] == row[column] for column in columns])]
        alike = applications[np.logical_and.reduce([applications[column] == row[column] for column in columns])]
        age = row["month"] - alike["month"]
        values.append((mine["defaulted"].sum() + spec.prior * overall) / (len(mine) + spec.prior))
        values += [float(len(mine)), float(((age >= 1) & (age <= spec.window)).sum())]
    return values


@pytest.mark.parametrize("spec", [HISTORY, SMALL])
def test_the_training_view_is_the_definition_row_by_row(year: Bank, spec: HistorySpec) -> None:
    applications, outcomes = year
    rows = applications.sample(80, random_state=1)
    view = training_view(rows, changes(applications, outcomes, spec), spec)
    want = [by_hand(row, applications, outcomes, spec) for _, row in rows.iterrows()]
    assert view.to_numpy().tobytes() == np.array(want, dtype=np.float64).tobytes()
    assert view.index.equals(rows.index)
    assert tuple(view.columns) == spec.feature_names


def test_both_views_agree_to_the_bit_at_every_month(year: Bank, tmp_path: Path) -> None:
    applications, outcomes = year
    changed = changes(applications, outcomes)
    with HistoryStore(tmp_path / "online.db") as store:
        for month in range(-12, 7):
            store.materialise(changed, month)
            rows = applications[applications["month"] == min(month, 3)].head(40).assign(month=month)
            assert store.features(rows).to_numpy().tobytes() == training_view(rows, changed).to_numpy().tobytes()
            assert store.differing(changed) == []


CATEGORY = st.sampled_from(["web", "branch", "pigeon", None])
APPLICANT = st.tuples(st.integers(0, 6), CATEGORY, st.sampled_from(["north", "south"]))
OUTCOME = st.tuples(st.integers(0, 11), st.integers(0, 9), st.sampled_from([True, False, None]))


def tables(people: list[tuple[int, str | None, str]], told: list[tuple[int, int, bool | None]]) -> Bank:
    """Return few applications, and outcomes among which are late, doubled, corrected and empty ones."""
    applications = pd.DataFrame(people, columns=["month", "channel", "region"]).assign(housing="rent")
    applications.insert(0, "application_id", range(len(people)))
    rows = [(number % len(people), people[number % len(people)][0] + late, bad) for number, late, bad in told]
    return applications, pd.DataFrame(rows, columns=["application_id", "known_month", "defaulted"])


@settings(deadline=None, max_examples=60)
@given(
    people=st.lists(APPLICANT, min_size=1, max_size=12),
    told=st.lists(OUTCOME, max_size=14),
    stops=st.lists(st.integers(-1, 18), min_size=1, max_size=4).map(sorted),
)
def test_however_outcomes_arrive_and_whenever_it_is_materialised(
    people: list[tuple[int, str | None, str]],
    told: list[tuple[int, int, bool | None]],
    stops: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    applications, outcomes = tables(people, told)
    changed = changes(applications, outcomes, SMALL)
    with HistoryStore(tmp_path_factory.mktemp("online") / "online.db", SMALL) as store:
        for month in stops:
            last = store.as_of
            store.materialise(changed if last is None else changed[changed["moment"] > last], month)
        rows = applications.assign(month=stops[-1])
        assert store.features(rows).to_numpy().tobytes() == training_view(rows, changed, SMALL).to_numpy().tobytes()
        assert store.differing(changed) == []


@settings(deadline=None, max_examples=60)
@given(
    people=st.lists(APPLICANT, min_size=1, max_size=12),
    told=st.lists(OUTCOME, max_size=14),
    other=st.lists(OUTCOME, max_size=14),
    newcomers=st.lists(APPLICANT, max_size=4),
    moment=st.integers(0, 12),
)
def test_no_future_moves_a_feature(
    people: list[tuple[int, str | None, str]],
    told: list[tuple[int, int, bool | None]],
    other: list[tuple[int, int, bool | None]],
    newcomers: list[tuple[int, str | None, str]],
    moment: int,
) -> None:
    applications, outcomes = tables(people, told)
    past = outcomes[outcomes["known_month"] < moment]
    _, future = tables(people, other)
    crowd, _ = tables(people + [(max(month, moment), channel, region) for month, channel, region in newcomers], [])
    rows = applications.assign(month=np.minimum(applications["month"], moment))
    perturbed = pd.concat([past, future[future["known_month"] >= moment]], ignore_index=True)
    before = training_view(rows, changes(applications, outcomes, SMALL), SMALL)
    after = training_view(rows, changes(crowd, perturbed, SMALL), SMALL)
    assert before.to_numpy().tobytes() == after.to_numpy().tobytes()


def test_the_perturbation_finds_an_outcome_that_counts_from_its_application(year: Bank) -> None:
    applications, outcomes = year
    rows = applications[applications["month"] == 0]

    def moved(leaky: bool) -> bool:
        def view(outcomes: pd.DataFrame) -> bytes:
            told = outcomes.assign(known_month=outcomes["month"]) if leaky else outcomes
            return training_view(rows, changes(applications, told)).to_numpy().tobytes()

        future = outcomes["known_month"] >= 0
        return view(outcomes) != view(outcomes.assign(defaulted=outcomes["defaulted"] ^ future))

    assert moved(leaky=True)
    assert not moved(leaky=False)
    flipped = outcomes.assign(defaulted=outcomes["defaulted"] ^ (outcomes["known_month"] == -1))
    views = [training_view(rows, changes(applications, table)) for table in (outcomes, flipped)]
    assert not views[0].equals(views[1])  # what became known the month before does count


def test_late_and_corrected_outcomes_count_from_when_they_came() -> None:
    applications, _ = tables([(0, "web", "north"), (0, "web", "north")], [])
    outcomes = pd.DataFrame(
        # One on time; one two months late, told twice, then corrected.
        [(0, 3, False), (1, 5, True), (1, 5, True), (1, 8, False)],
        columns=["application_id", "known_month", "defaulted"],
    )
    ask = pd.DataFrame({"month": [3, 4, 5, 6, 8, 9], "channel": "web", "region": "north", "housing": "rent"})
    view = training_view(ask, changes(applications, outcomes, SMALL), SMALL)
    assert view["channel_known"].tolist() == [0, 1, 1, 2, 2, 2]
    assert view["channel_default_rate"].fillna(-1).tolist() == [-1, 0, 0, 0.5, 0.5, 0]


def test_materialising_goes_forward_once_and_repairs_on_demand(year: Bank, tmp_path: Path) -> None:
    applications, outcomes = year
    changed = changes(applications, outcomes)
    with HistoryStore(tmp_path / "online.db") as store:
        assert (store.as_of, store.differing(changed)) == (None, [])
        assert store.materialise(changed, 0) > 0
        assert store.materialise(changed, 0) == 0
        rows = applications[applications["month"] == 0]
        before = store.features(rows)
        with pytest.raises(HistoryError, match="at month 0 already: pass rebuild=True to go back to -1"):
            store.materialise(changed, -1)
        corrected = changes(applications, outcomes.assign(defaulted=True))
        assert store.differing(corrected)
        store.materialise(corrected, 0, rebuild=True)
        assert store.differing(corrected) == []
        store.materialise(changed, -1, rebuild=True)
        assert store.as_of == -1
    with HistoryStore(tmp_path / "online.db") as store:  # another process goes on
        assert store.as_of == -1
        store.materialise(changed, 0)
        assert store.features(rows).equals(before)


def test_a_materialisation_that_breaks_leaves_the_store_as_it_was(year: Bank, tmp_path: Path) -> None:
    changed = changes(*year)
    with HistoryStore(tmp_path / "online.db") as store:
        store.materialise(changed, 0)
        last = changed.loc[changed["moment"] == 1, "segment"].max()
        full = f"SELECT RAISE(ABORT, 'the disk is full') WHERE NEW.segment = '{last}'"
        with contextlib.closing(sqlite3.connect(tmp_path / "online.db")) as other:
            other.execute(f"CREATE TRIGGER full BEFORE INSERT ON online BEGIN {full}; END")
        with pytest.raises(sqlite3.IntegrityError, match="the disk is full"):
            store.materialise(changed, 1)
        assert (store.as_of, store.differing(changed)) == (0, [])


def test_files_that_are_no_store_or_another_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database, although it is a file\n" * 50)
    with pytest.raises(HistoryError, match=r"text\.db is no history store .*: delete .* and materialise again"):
        HistoryStore(tmp_path / "text.db")
    HistoryStore(tmp_path / "small.db", SMALL).close()
    with pytest.raises(HistoryError, match="counts other segments than are asked for"):
        HistoryStore(tmp_path / "small.db")


def test_what_is_no_segment_is_refused() -> None:
    for column in ("group", "income", "shoe_size"):
        with pytest.raises(ValueError, match=f"'{column}' cannot name a segment: choose among channel"):
            HistorySpec(segments=((column,),))
    for wrong in ({"window": 0}, {"prior": 0.0}):
        with pytest.raises(ValueError, match="window must be 1 or more and prior above 0"):
            HistorySpec(**wrong)


def test_an_outcome_of_nobody_is_an_error_and_none_at_all_is_not() -> None:
    applications, outcomes = tables([(0, "web", "north")], [(0, 3, True)])
    with pytest.raises(HistoryError, match="1 outcomes, such as of 0, have no application: add its month"):
        changes(applications.assign(application_id=7), outcomes, SMALL)
    nothing = training_view(applications, changes(applications, outcomes.head(0), SMALL), SMALL)
    assert nothing["channel_default_rate"].isna().all()
    assert nothing["channel_known"].tolist() == [0]


def test_one_key_for_a_row_alone_and_in_a_table() -> None:
    rows = pd.DataFrame({"channel": ["web", "pigeon", None], "region": pd.Categorical(["north", "east", "moon"])})
    columns = ("channel", "region", "housing")
    together = segment_keys(rows, columns).tolist()
    assert together == [segment_key(row, columns) for row in rows.to_dict("records")]  # type: ignore[arg-type]
    assert together[0] == "channel=web;region=north;housing=?;"
    assert together[1:] == ["channel=?;region=east;housing=?;", "channel=?;region=?;housing=?;"]


def test_the_step_adds_columns_and_touches_nothing_else(history_files: tuple[Lake, Path], tmp_path: Path) -> None:
    lake, accepted = history_files
    people = [lake.path("applications", month) for month in lake.months("applications")]
    told = [lake.path("outcomes", month) for month in lake.months("outcomes")]
    history(accepted, people, told, tmp_path / "enriched.parquet")
    rows, enriched = read_parquet(accepted), read_parquet(tmp_path / "enriched.parquet")
    assert enriched[rows.columns].equals(rows)
    assert tuple(enriched.columns[len(rows.columns) :]) == HISTORY.feature_names
    assert feature_matrix(enriched).tobytes() == feature_matrix(rows).tobytes()  # the default pipeline sees no change
    matrix = pd.DataFrame(feature_matrix(enriched, OAKBANK_HISTORY), columns=list(OAKBANK_HISTORY.feature_names))
    for name in HISTORY.rate_names:
        assert matrix[name].equals(enriched[name].astype(np.float32).rename(name))
    assert set(OAKBANK_HISTORY.feature_names) - set(OAKBANK.feature_names) == set(HISTORY.rate_names)
    shorter = read_parquet(people[-1])["month"].iloc[0]
    history(accepted, people[1:], told, tmp_path / "later.parquet")  # outcomes of the first month are strangers now
    later = read_parquet(tmp_path / "later.parquet")
    assert later.loc[later["month"] < shorter, "channel_purpose_known"].sum() < enriched["channel_purpose_known"].sum()


@pytest.fixture
def history_files(history: Lake, tmp_path: Path) -> tuple[Lake, Path]:
    """The lake, and labelled rows as `validate` leaves them."""
    known = history.months("outcomes")
    labelled = history.read("applications", [month - 3 for month in known]).merge(
        history.read("outcomes", known)[["application_id", "defaulted"]], on="application_id"
    )
    write_parquet(labelled, tmp_path / "accepted.parquet")
    return history, tmp_path / "accepted.parquet"
