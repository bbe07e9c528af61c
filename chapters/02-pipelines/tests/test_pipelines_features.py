"""One definition of the features: what the service builds for one applicant is what training built for all."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.pipelines import FEATURE_NAMES, OAKBANK, build_features, feature_matrix
from oakbank.pipelines.german import GERMAN
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, World

RANGES = {column.name: column for column in COLUMNS}


def value_of(name: str) -> st.SearchStrategy[object]:
    if name in CATEGORIES:
        return st.sampled_from(CATEGORIES[name])
    column = RANGES[name]
    assert column.low is not None
    assert column.high is not None
    if column.dtype == "int16":
        return st.integers(int(column.low), int(column.high))
    return st.floats(column.low, column.high)


applicants = st.fixed_dictionaries({name: value_of(name) for name in FEATURES})


@pytest.fixture(scope="module")
def applications() -> pd.DataFrame:
    return World(3, "calm").applications(0).head(300)


def test_one_row_at_a_time_equals_the_batch(applications: pd.DataFrame) -> None:
    batch = feature_matrix(applications)
    for position in range(len(applications)):
        one = feature_matrix(applications.iloc[[position]])
        assert one.tobytes() == batch[position].tobytes()


@settings(deadline=None, max_examples=40)
@given(st.lists(applicants, min_size=1, max_size=6))
def test_any_applicants_come_out_alike_alone_together_and_from_json(rows: list[dict[str, object]]) -> None:
    batch = feature_matrix(pd.DataFrame(rows))
    assert np.isfinite(batch).all()
    for position, row in enumerate(rows):
        # What a service gets: one JSON object; whole numbers may come as 12 or 12.0.
        alone = feature_matrix(pd.DataFrame([json.loads(json.dumps(row))]))
        floats = feature_matrix(
            pd.DataFrame([{name: float(v) if isinstance(v, int) else v for name, v in row.items()}])
        )
        assert alone.tobytes() == floats.tobytes() == batch[position].tobytes()


def test_only_the_named_columns_count_in_whatever_order(applications: pd.DataFrame) -> None:
    wanted = feature_matrix(applications).tobytes()
    assert feature_matrix(applications[list(reversed(applications.columns))]).tobytes() == wanted
    order = np.random.default_rng(0).permutation(len(applications))
    assert feature_matrix(applications.iloc[order]).tobytes() == feature_matrix(applications)[order].tobytes()
    other = applications.assign(application_id=0, month=7, group="B", collection_calls=3)
    assert feature_matrix(other).tobytes() == wanted
    as_text = applications.assign(**{name: applications[name].astype(str) for name in OAKBANK.categories})
    assert feature_matrix(as_text).tobytes() == wanted


def test_the_protected_group_is_never_a_feature() -> None:
    assert "group" not in OAKBANK.columns
    assert not [name for name in FEATURE_NAMES if "group" in name]
    assert not {"personal_status", "foreign_worker"} & set(GERMAN.columns)
    assert not [name for name in GERMAN.feature_names if name.startswith(("personal_status", "foreign_worker"))]


def test_the_numbers_are_what_their_names_say() -> None:
    row = {"amount": 12_000.0, "term": 12, "income": 2_000.0, "debts": 500.0, "purpose": "car"}
    features = build_features(pd.DataFrame([row])).iloc[0]
    instalment = 12_000 * 0.01 / (1 - 1.01**-12)  # the annuity at 1 % a month
    assert features["instalment"] == pytest.approx(instalment)
    assert features["burden"] == pytest.approx((500 + instalment) / 2_000)
    assert features["loan_to_income"] == pytest.approx(6)
    assert features["purpose_car"] == 1
    assert features.filter(like="purpose_").sum() == 1


def test_an_unknown_category_is_none_of_the_known(applications: pd.DataFrame) -> None:
    one = applications.head(1).assign(channel="carrier_pigeon")
    features = build_features(one)
    assert features.filter(like="channel_").to_numpy().sum() == 0
    assert (features.filter(like="purpose_").to_numpy().sum(), features.dtypes.nunique()) == (1, 1)
    missing = build_features(applications.head(1).assign(channel=None))
    assert missing.equals(features)


def test_an_absent_number_is_nan_and_an_absent_category_none(applications: pd.DataFrame) -> None:
    features = build_features(applications.drop(columns=["bureau_score", "housing"]))
    assert features["bureau_score"].isna().all()
    assert not features.drop(columns="bureau_score").isna().any(axis=None)
    assert features.filter(like="housing_").to_numpy().sum() == 0
    assert features.index.equals(applications.index)


def test_text_in_a_number_is_an_error_that_names_the_column(applications: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="column income must hold numbers"):
        feature_matrix(applications.assign(income="a lot"))
