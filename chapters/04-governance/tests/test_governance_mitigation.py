"""Remedies by Fairlearn: what they promise on the sample that they are fitted on, and what they cost."""

import numpy as np
import pytest
from fairlearn.metrics import demographic_parity_ratio
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from oakbank.governance.mitigation import reductions, reweighing, thresholds, who_pays

Sample = tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.str_]]


@pytest.fixture(scope="module")
def sample() -> Sample:
    """Group B has lower scores, and repays less often."""
    rng = np.random.default_rng(3)
    group = np.where(rng.random(3_000) < 0.3, "B", "A")
    score = rng.normal(0, 1, 3_000) - 0.8 * (group == "B")
    repaid = rng.random(3_000) < 1 / (1 + np.exp(-1.5 - score))
    region = rng.normal(0, 0.5, 3_000) + (group == "B")  # says much of the group
    return np.column_stack([score, region]), repaid, group


def test_weights_make_group_and_outcome_independent(sample: Sample) -> None:
    _, repaid, group = sample
    weight = reweighing(repaid, group)
    shares = [np.average(repaid[group == name], weights=weight[group == name]) for name in "AB"]
    assert shares == pytest.approx([repaid.mean()] * 2)
    assert abs(repaid[group == "A"].mean() - repaid[group == "B"].mean()) > 0.05, "they were not before"
    assert weight.mean() == pytest.approx(1)
    with pytest.raises(ValueError, match="nobody of B has the outcome True"):
        reweighing([True, False, False], ["A", "A", "B"])


def test_thresholds_and_reductions_reach_parity_on_their_sample(sample: Sample) -> None:
    features, repaid, group = sample
    fitted = LogisticRegression().fit(features, repaid)
    by_group = thresholds(fitted, features, repaid, group).predict(features, sensitive_features=group, random_state=0)
    mixture = reductions(LogisticRegression(), features, repaid, group).predict(features, random_state=0)
    plain = fitted.predict_proba(features)[:, 1] > 0.83

    def ratio(decisions: object) -> float:
        return float(demographic_parity_ratio(repaid, decisions, sensitive_features=group))

    assert ratio(plain) < 0.7
    assert ratio(by_group) > 0.95
    assert ratio(mixture) > 0.9
    assert 0.2 < by_group.mean() < 0.95
    assert 0.2 < mixture.mean() < 0.95


def test_who_pays_by_hand() -> None:
    group = ["A", "A", "B", "B"]
    remedies = {"none": [True, True, True, False], "other": [True, False, True, True]}
    table = who_pays(remedies, group, [100.0, 50.0, 20.0, -30.0])
    assert table[["ratio", "profit", "cost"]].to_numpy().tolist() == [[0.5, 170.0, 0.0], [0.5, 90.0, 80.0]]
    assert table[["gained_A", "lost_A", "gained_B", "lost_B"]].to_numpy().tolist() == [[0, 0, 0, 0], [0, 1, 1, 0]]
    with pytest.raises(ValueError, match="no decisions to compare"):
        who_pays({}, group, [1.0] * 4)
    with pytest.raises(ValueError, match="one number of each"):
        who_pays(remedies, group, [1.0])
