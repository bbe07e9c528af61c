"""The steps hold a batch at a time, and no byte of their results depends on how large a batch is."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.pipelines import TrainingConfig, TrainingRun, run_training, streams
from oakbank.pipelines.features import DataSpec, feature_matrix
from oakbank.pipelines.steps import evaluate, features, ingest, validate
from oakbank.world import CATEGORIES, COLUMNS, Lake, LakeError, World
from oakbank.world.lake import read_parquet, write_parquet

QUICK = TrainingConfig(rounds=5)
ROWS = World(0, "calm").applications(0).head(40).reset_index(drop=True).assign(defaulted=np.arange(40) % 4 == 0)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def small_batches(monkeypatch: pytest.MonkeyPatch, batch: int, group: int | None = None) -> None:
    monkeypatch.setattr(streams, "BATCH", batch)
    if group is not None:
        monkeypatch.setattr(streams, "GROUP", group)


# ---- the same bytes ----


@pytest.mark.parametrize("batch", [97, 1000])
def test_no_artefact_depends_on_the_batch_size(
    history: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    small_batches(monkeypatch, 50_000, group=300)
    run_training(QUICK, history, tmp_path / "one")
    monkeypatch.setattr(streams, "BATCH", batch)
    run_training(QUICK, history, tmp_path / "many")
    assert files(tmp_path / "many") == files(tmp_path / "one")
    groups = pq.read_metadata(tmp_path / "one" / "features" / "matrix.parquet")
    assert {groups.row_group(i).num_rows for i in range(groups.num_row_groups - 1)} == {300}


def test_nothing_but_the_artefacts_is_left(trained: TrainingRun) -> None:
    assert [path.name for path in trained.folder.rglob(".*")] == [".lock"]
    assert not [*trained.folder.rglob("*.duckdb*")]


@settings(deadline=None, max_examples=20)
@given(pieces=st.lists(st.integers(0, 9), max_size=12), group=st.integers(1, 12))
def test_a_file_is_the_same_however_its_rows_arrive(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[int], group: int
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    rows = ROWS.head(sum(pieces)).astype({"channel": object})
    rows.loc[rows.index % 7 == 3, "channel"] = "pigeon"
    rows.loc[rows.index % 7 == 5, "channel"] = None
    table = pa.Table.from_pandas(rows, preserve_index=False)
    schema = pa.schema([pa.field(f.name, f.type) for f in table.schema if f.name != "channel"]).append(
        pa.field("channel", pa.dictionary(pa.int8(), pa.string()))
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "GROUP", group)
        with streams.write_rows(folder / "whole", schema) as whole:
            whole.write(table)
        with streams.write_rows(folder / "pieces", schema) as writer:
            start = 0
            for size in pieces:
                writer.write(table.slice(start, size))
                start += size
    assert (folder / "whole").read_bytes() == (folder / "pieces").read_bytes()
    read = read_parquet(folder / "whole")
    assert read["channel"].astype(object).where(read["channel"].notna(), None).tolist() == rows["channel"].tolist()
    if len(rows):
        assert read["region"].cat.categories.tolist() == list(CATEGORIES["region"])


# ---- what only shows across batches ----


def test_an_id_is_found_again_in_a_later_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small_batches(monkeypatch, 6, group=7)
    rows = pd.concat([ROWS, ROWS.iloc[[0, 0, 39, 38]], ROWS.iloc[[0]]], ignore_index=True)
    rows.loc[41, "age"] = 17  # its own fault is the first reason
    write_parquet(rows, tmp_path / "in")
    validate(tmp_path / "in", tmp_path / "good", tmp_path / "bad", tmp_path / "report")
    assert read_parquet(tmp_path / "good")["application_id"].tolist() == ROWS["application_id"].tolist()
    repeats, young = "duplicated application_id", "age is below 18 years"
    assert read_parquet(tmp_path / "bad")["reason"].tolist() == [repeats, young, repeats, repeats, repeats]


def test_of_a_row_that_breaks_the_contract_twice_the_contract_chooses_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one batch and in two."""
    rows = pd.concat([ROWS.head(8), ROWS.head(1).assign(month=np.int16(5))], ignore_index=True)
    write_parquet(rows, tmp_path / "in")
    for batch in (100, 3):
        small_batches(monkeypatch, batch)
        validate(tmp_path / "in", tmp_path / "good", tmp_path / f"bad{batch}", tmp_path / "report")
    assert read_parquet(tmp_path / "bad3")["reason"].tolist() == ["duplicated application_id"]
    assert (tmp_path / "bad3").read_bytes() == (tmp_path / "bad100").read_bytes()


@settings(deadline=None, max_examples=20)
@given(values=st.lists(st.one_of(st.none(), st.integers(0, 6)), max_size=30), batch=st.integers(1, 10))
def test_repeats_are_those_that_pandas_finds(
    tmp_path_factory: pytest.TempPathFactory, values: list[int | None], batch: int
) -> None:
    folder = tmp_path_factory.mktemp("ids")
    pq.write_table(pa.table({"id": pa.array(values, pa.int64())}), folder / "ids")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams, "BATCH", batch)
        found = streams.repeated(folder / "ids", "id", folder)
    there = pd.Series(values, dtype="Int64")
    wanted = there[there.notna() & there.duplicated()]
    assert found[:, 0].tolist() == wanted.index.tolist()
    assert all(first < again and values[first] == values[again] for again, first in found.tolist())
    assert [path.name for path in folder.iterdir()] == ["ids"]


# ---- whole or not at all ----


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    table = pa.table({"a": [1.0, 2.0]})
    (tmp_path / "rows").write_text("old")

    def half_way() -> None:
        with streams.write_rows(tmp_path / "rows", table.schema) as rows:
            rows.write(table)
            rows.write(pa.table({"b": [1.0]}))

    with pytest.raises(KeyError):
        half_way()
    assert files(tmp_path) == {"rows": b"old"}


def test_a_step_that_finds_no_good_row_writes_nothing(tmp_path: Path) -> None:
    write_parquet(ROWS.assign(age=3.5), tmp_path / "in")
    with pytest.raises(LakeError, match=r"none of the 40 rows keeps the contract.*'age is below 18 years': 40"):
        validate(tmp_path / "in", tmp_path / "good", tmp_path / "bad", tmp_path / "report")
    assert list(files(tmp_path)) == ["in"]


def test_a_damaged_page_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    write_parquet(ROWS, path)
    whole = path.read_bytes()
    for damaged in (whole[:-30], whole[:200] + bytes([whole[200] ^ 255]) + whole[201:]):
        path.write_bytes(damaged)
        with pytest.raises(LakeError, match=r"rows cannot be read .*delete it and run again"):
            list(streams.read_batches(path))
    with pytest.raises(LakeError, match="nowhere is missing: run the step"):
        streams.read_schema(tmp_path / "nowhere")
    path.write_bytes(whole)
    with pytest.raises(LakeError, match="rows has no column nothing"):
        list(streams.read_batches(path, ["age", "nothing"]))


def test_rows_and_features_that_do_not_belong_together_are_refused(trained: TrainingRun, tmp_path: Path) -> None:
    accepted = read_parquet(trained.folder / "validate" / "accepted.parquet")
    matrix = trained.folder / "features" / "matrix.parquet"
    for rows in (accepted.iloc[:-1], pd.concat([accepted, accepted.tail(1)])):
        write_parquet(rows, tmp_path / "other")
        with pytest.raises(LakeError, match="run features again"):
            evaluate(matrix, tmp_path / "other", trained.candidate_path, tmp_path / "json", tmp_path / "rows")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


# ---- months that are not what they should be ----


def test_a_wrong_value_comes_to_the_quarantine_as_it_was(lake: Lake, tmp_path: Path) -> None:
    """Also where the column's type has no room for it, and whatever its kind."""
    month = lake.read("applications", [-6]).astype({"age": float, "term": float, "channel": object, "income": object})
    granted = lake.read("outcomes", [-3])["application_id"].tolist()
    wrong: dict[str, Any] = {"age": 33.5, "term": 1e9, "channel": 7, "income": "plenty"}
    for application, (column, value) in zip(granted, wrong.items(), strict=False):
        month.loc[month["application_id"] == application, column] = value
    month["channel"], month["income"] = month["channel"].map(str), month["income"].map(str)
    lake.write("applications", -6, month)
    run = run_training(QUICK, lake, tmp_path / "run")
    labelled = read_parquet(run.folder / "ingest" / "labelled.parquet").set_index("application_id")
    assert labelled.loc[granted[0], "age"] == 33.5
    quarantined = read_parquet(run.folder / "validate" / "quarantined.parquet").set_index("application_id")
    assert quarantined.loc[granted[1], ["term", "reason"]].tolist() == [1e9, "term is above 84 months"]
    assert quarantined.loc[granted[2], ["channel", "reason"]].tolist() == ["7", "channel is not one of its categories"]
    assert quarantined.loc[granted[3], "reason"] == "income is missing"
    accepted = read_parquet(run.folder / "validate" / "accepted.parquet")
    assert len(accepted) + len(quarantined) == len(labelled)


def test_a_month_without_a_usable_id_is_left_out(lake: Lake, tmp_path: Path) -> None:
    month = lake.read("applications", [-6])
    outcomes = lake.read("outcomes", [-3])["application_id"]
    ids = month["application_id"].astype(float)
    ids[ids == outcomes[0]] += 0.5
    ids[ids == outcomes[1]] = np.nan
    lake.write("applications", -6, month.assign(application_id=ids))
    ingest([lake.path("applications", -6)], [lake.path("outcomes", -3)], tmp_path / "labelled")
    labelled = read_parquet(tmp_path / "labelled")
    assert labelled["application_id"].tolist() == sorted(outcomes[2:])
    assert labelled.dtypes.astype(str).to_dict() == {c.name: c.dtype for c in COLUMNS} | {"defaulted": "bool"}


def test_features_do_not_hold_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The most rows that any call of `feature_matrix` sees are those of a batch."""
    small_batches(monkeypatch, 6)
    seen: list[int] = []

    def watched(rows: pd.DataFrame, spec: DataSpec) -> Any:
        seen.append(len(rows))
        return feature_matrix(rows, spec)

    monkeypatch.setattr("oakbank.pipelines.steps.feature_matrix", watched)
    write_parquet(ROWS, tmp_path / "in")
    features(tmp_path / "in", tmp_path / "out")
    assert seen == [6] * 6 + [4]
