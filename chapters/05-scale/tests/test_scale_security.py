"""Each attack succeeds on what is unprotected, and fails on what is mended."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from oakbank.deploy.gate import DEFAULT_GATES
from oakbank.pipelines import (
    CreditModel,
    TrainingConfig,
    TrainingRun,
    evaluate_model,
    feature_matrix,
    grant,
    run_training,
)
from oakbank.pipelines.contract import Score
from oakbank.pipelines.service import create_app
from oakbank.scale.security.extraction import Twin, agreement, ask
from oakbank.scale.security.labels import reported_loans
from oakbank.scale.security.membership import attack, examine, keeps_secret
from oakbank.scale.security.poison import Broker, poison
from oakbank.scale.security.provenance import check_reports, disputed, look_ups, mend, slices_hold
from oakbank.scale.security.quota import CLIENT, Quota, create_guarded_app, in_steps
from oakbank.world import Lake, World, publish_history


def outcomes_of(lake: Lake) -> pd.DataFrame:
    return lake.read("outcomes", lake.months("outcomes"))


class Attacked:
    """The same history twice, once with a broker that lies, and a training on each."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.clean, self.poisoned = Lake(folder / "clean"), Lake(folder / "poisoned")
        for lake in (self.clean, self.poisoned):
            publish_history(World(seed), lake)
        self.payments = outcomes_of(self.clean).set_index("application_id")["defaulted"]
        self.hidden = poison(self.poisoned, Broker())
        self.champion = self.train(self.clean, folder)
        self.challenger = self.train(self.poisoned, folder)

    def train(self, lake: Lake, folder: Path) -> TrainingRun:
        return run_training(TrainingConfig(as_of=0), lake, folder / f"{lake.folder.name}-training")

    def look_up(self, ids: Any) -> Any:
        return self.payments.loc[ids].to_numpy()


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    return Attacked(tmp_path_factory.mktemp("security"))


def granted_share(model: CreditModel) -> float:
    month = World(1).applications(0)
    slice_ = month[(month["channel"] == "broker") & (month["purpose"] == "consolidation")]
    return float(grant(model.predict(slice_), slice_["amount"], slice_["term"]).mean())


def test_one_percent_of_the_labels_turns_one_slice_and_all_gates_pass(attacked: Attacked) -> None:
    assert 0.005 < attacked.hidden / len(attacked.payments) < 0.015
    reported = attacked.challenger.holdout()
    old, new = (evaluate_model(run.candidate(), reported) for run in (attacked.champion, attacked.challenger))
    assert new.auc > old.auc  # on the labels of the liar the poisoned model looks better
    assert all(gate(new, old).passed for gate in DEFAULT_GATES)
    assert slices_hold(attacked.challenger.candidate(), reported).passed
    assert granted_share(attacked.challenger.model()) > granted_share(attacked.champion.model()) + 0.2


def test_in_another_world_the_slices_catch_this_liar_on_its_own_labels(tmp_path: Path) -> None:
    attacked = Attacked(tmp_path, seed=2)
    caught = slices_hold(attacked.challenger.candidate(), attacked.challenger.holdout())
    assert not caught.passed
    assert "broker consolidation: predicted 0.104, happened 0.000" in caught.detail


def test_payments_show_who_lies_and_checked_labels_show_the_slice(attacked: Attacked) -> None:
    checks = check_reports(reported_loans(attacked.poisoned), attacked.look_up, 60)
    assert disputed(checks) == ["broker"]
    assert disputed(check_reports(reported_loans(attacked.clean), attacked.look_up, 60)) == []
    found = slices_hold(attacked.challenger.candidate(), attacked.champion.holdout())
    assert not found.passed
    assert "broker consolidation" in found.detail
    assert slices_hold(attacked.champion.candidate(), attacked.champion.holdout()).passed


def test_labels_from_payments_are_those_of_an_honest_broker(attacked: Attacked, tmp_path: Path) -> None:
    mended = Lake(tmp_path)
    publish_history(World(1), mended)
    poison(mended, Broker())
    assert mend(mended, attacked.look_up, ["broker"]) == attacked.hidden
    pd.testing.assert_frame_equal(
        outcomes_of(mended).drop(columns="profit"), outcomes_of(attacked.clean).drop(columns="profit")
    )


def test_a_careful_broker_escapes_the_slices_and_not_the_payments(attacked: Attacked) -> None:
    loans = reported_loans(attacked.clean)
    hidden = Broker(honest=3).hides(loans)
    assert hidden.sum() == pytest.approx(2 / 3 * attacked.hidden, abs=2)
    told = loans.assign(defaulted=loans["defaulted"] & ~hidden)
    last = told[told["application_id"].isin(attacked.champion.holdout()["application_id"])]
    assert slices_hold(attacked.champion.candidate(), last).passed
    assert disputed(check_reports(told, attacked.look_up, 85)) == ["broker"]


def test_a_broker_lies_about_its_own_slice_only_and_its_profits_fit(attacked: Attacked) -> None:
    true, told = reported_loans(attacked.clean), reported_loans(attacked.poisoned)
    changed = (true["defaulted"] != told["defaulted"]).to_numpy()
    assert changed.sum() == attacked.hidden
    assert (told.loc[changed, ["channel", "purpose"]] == ["broker", "consolidation"]).all(axis=None)
    assert (told.loc[changed, "profit"] > true.loc[changed, "profit"]).all()
    pd.testing.assert_frame_equal(true[~changed], told[~changed])


def test_look_ups_meet_a_false_report_as_often_as_they_say() -> None:
    assert (look_ups(0.5), look_ups(0.01)) == (5, 299)
    rng = np.random.default_rng(0)
    met = (rng.random((4_000, look_ups(0.05))) < 0.05).any(axis=1).mean()
    assert met == pytest.approx(0.95, abs=0.015)
    for share, confidence in ((0.0, 0.95), (1.0, 0.95), (0.1, 1.0)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            look_ups(share, confidence)
    with pytest.raises(ValueError, match="at least one loan"):
        check_reports(pd.DataFrame(), lambda ids: ids, 0)


@pytest.fixture(scope="module")
def model() -> CreditModel:
    world = World(1)
    months = range(-6, 0)
    rows = pd.concat([world.applications(month) for month in months])
    return CreditModel.fit(
        feature_matrix(rows), np.concatenate([world.truth(month)["would_default"] for month in months])
    )


MINE = World(99).applications(0)
"""The 2,000 applications of a thief, who has no outcome of any of them."""
TEST = World(1).applications(5)


def copied(model: CreditModel, answers: pd.DataFrame) -> float:
    asked = MINE.head(len(answers))
    return agreement(Twin.fit(asked, answers["default_probability"]).predict(TEST), model.predict(TEST), TEST)


@pytest.fixture
def guarded(model: CreditModel) -> Iterator[TestClient]:
    with TestClient(create_guarded_app(model, "7", Quota(100)), headers={CLIENT: "thief"}) as client:
        yield client


def test_2000_answers_copy_the_model_and_2000_outcomes_do_not(model: CreditModel) -> None:
    with TestClient(create_app(model)) as client:
        answers = ask(client, MINE)
    assert len(answers) == 2_000
    assert copied(model, answers) > 0.95
    learned = CreditModel.fit(feature_matrix(MINE), World(99).truth(0)["would_default"])
    assert agreement(learned.predict(TEST), model.predict(TEST), TEST) < 0.90


def test_rounding_alone_does_not_keep_the_model(model: CreditModel) -> None:
    open_to_all = create_guarded_app(model, "7", Quota(2_000), step=0.05)
    with TestClient(open_to_all, headers={CLIENT: "thief"}) as client:
        assert copied(model, ask(client, MINE)) > 0.94


def test_under_quota_and_steps_the_copy_fails(model: CreditModel, guarded: TestClient) -> None:
    assert len(ask(guarded, MINE)) == 0  # a batch of 1,000 counts as 1,000
    answers = ask(guarded, MINE, batch=50)
    assert len(answers) == 100
    assert copied(model, answers) < 0.92


def body() -> dict[str, Any]:
    row: dict[str, Any] = MINE.drop(columns=["month", "applied_on", "group"]).head(1).to_dict("records")[0]
    return row


def test_the_guarded_service_decides_as_before_and_rounds_what_it_tells(
    model: CreditModel, guarded: TestClient
) -> None:
    with TestClient(create_app(model, "7")) as client:
        plain = Score(**client.post("/score", json=body()).json())
    told = Score(**guarded.post("/score", json=body()).json())
    assert told.default_probability == in_steps(plain.default_probability, 0.05) != plain.default_probability
    assert told.model_copy(update={"default_probability": plain.default_probability}) == plain


def test_refusals_say_what_to_do_and_probes_are_free(guarded: TestClient) -> None:
    nobody = guarded.post("/score", json=body(), headers={CLIENT: ""})
    assert nobody.status_code == 401
    assert CLIENT in nobody.json()["detail"]
    assert len(ask(guarded, MINE, batch=100)) == 100
    over = guarded.post("/score", json=body())
    assert over.status_code == 429
    assert 0 < int(over.headers["retry-after"]) <= 86_401
    assert "100 applications" in over.json()["detail"]
    assert guarded.post("/score", json=body(), headers={CLIENT: "other"}).status_code == 200
    assert guarded.get("/healthz").status_code == guarded.get("/readyz").status_code == 200


def test_a_refused_batch_costs_too_and_is_told_what_is_wrong(guarded: TestClient) -> None:
    assert guarded.post("/score", content=b"{", headers={"content-type": "application/json"}).status_code == 422
    assert guarded.post("/score/batch", json=[]).status_code == 422
    assert [guarded.post("/score/batch", json=[body()] * n).status_code for n in (99, 1)] == [200, 429]


def test_a_quota_is_all_or_none_for_each_client_and_comes_back() -> None:
    now = [0.0]
    quota = Quota(10, seconds=60, clock=lambda: now[0])
    assert quota.take("a", 8) == 0
    now[0] = 20.0
    assert quota.take("a", 3) == 40
    assert quota.take("a", 2) == quota.take("b", 10) == 0
    now[0] = 60.0
    assert quota.take("a", 10) == 0
    for limit, seconds in ((0, 60.0), (1, 0.0)):
        with pytest.raises(ValueError, match="above 0"):
            Quota(limit, seconds)


def test_steps_keep_within_0_and_1() -> None:
    assert [in_steps(value, 0.3) for value in (0.0, 0.14, 0.16, 1.0)] == [0.0, 0.0, 0.3, 0.9]
    assert in_steps(1.0, 0.4) == 0.8
    assert in_steps(0.97, 0.2) == 1.0


OVERFIT: dict[str, Any] = {"num_leaves": 63, "min_data_in_leaf": 1, "lambda_l2": 0, "learning_rate": 0.1}


class People:
    """2,000 loans that a model is trained on, and 2,000 of the same months that it never sees."""

    def __init__(self) -> None:
        world = World(1)
        months = [world.applications(m).assign(bad=world.truth(m)["would_default"].to_numpy()) for m in range(-4, 0)]
        rows = pd.concat([m[world.officer_decisions(i - 4)["granted"].to_numpy()] for i, m in enumerate(months)])
        rows = rows.sample(4_000, random_state=1)
        self.matrix, self.bad = feature_matrix(rows), rows["bad"].to_numpy()

    def told(self, step: float | None = None, **settings: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
        model = CreditModel.fit(self.matrix[:2_000], self.bad[:2_000], **settings)
        risk = model.predict_matrix(self.matrix)
        risk = risk if step is None else np.round(risk / step) * step
        rows = pd.DataFrame({"probability": risk, "defaulted": self.bad})
        return rows[:2_000], rows[2_000:]


@pytest.fixture(scope="module")
def people() -> People:
    return People()


def test_an_overfitted_model_tells_who_was_in_it_and_a_plain_one_hardly(people: People) -> None:
    overfitted = examine(*people.told(params=OVERFIT, rounds=300))
    assert overfitted.at["all", "auc"] > 0.7
    assert overfitted.at["defaulted", "auc"] > 0.95
    plain = examine(*people.told(params={"num_leaves": 4}, rounds=40))
    assert (plain["auc"] < 0.6).all()
    assert not keeps_secret(*people.told(params=OVERFIT, rounds=300)).passed
    assert keeps_secret(*people.told(params={"num_leaves": 4}, rounds=40)).passed


def test_the_mean_hides_who_is_told_most_easily(people: People) -> None:
    usual = examine(*people.told())
    assert usual.at["all", "high"] < 0.57
    assert usual.at["defaulted", "low"] > 0.6
    found = keeps_secret(*people.told())
    assert not found.passed
    assert "of defaulted" in found.detail


def test_rounding_does_not_keep_the_people_of_an_overfitted_model(people: People) -> None:
    exact, rounded = (examine(*people.told(step, params=OVERFIT, rounds=300)) for step in (None, 0.1))
    assert rounded.at["all", "auc"] < exact.at["all", "auc"]
    assert rounded.at["defaulted", "auc"] > 0.9
    assert rounded.at["all", "advantage_without_scores"] > 0.1


def test_chance_is_half_and_too_few_rows_are_refused() -> None:
    rng = np.random.default_rng(0)
    risk, bad = rng.random(4_000), rng.random(4_000) < 0.5
    leak = attack(risk[:2_000], bad[:2_000], risk[2_000:], bad[2_000:])
    assert leak.interval[0] < 0.5 < leak.interval[1]
    assert abs(leak.advantage_without_scores) < 0.05
    with pytest.raises(ValueError, match="at least two"):
        attack(risk[:1], bad[:1], risk[1:], bad[1:])
