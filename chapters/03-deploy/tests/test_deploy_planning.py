"""How long a canary waits, by simulation, and the manifests of its arms."""

import math

import numpy as np
import pytest
import yaml
from scipy.stats import norm

from oakbank.deploy import manifests
from oakbank.deploy.planning import power_of_one_look, typical_wait
from oakbank.intro.cluster import validate


def test_the_power_is_that_of_the_formula() -> None:
    before, now, n = 0.1, 0.15, 50 * 10
    mean = (before + now) / 2
    apart = (now - before - 1.645 * math.sqrt(2 * mean * (1 - mean) / n)) / math.sqrt(
        (before * (1 - before) + now * (1 - now)) / n
    )
    assert abs(power_of_one_look(50, before, now, periods=10)[-1] - norm.cdf(apart)) < 0.04


def test_without_harm_one_look_is_wrong_one_time_in_twenty() -> None:
    assert np.all(abs(power_of_one_look(200, 0.3, 0.3, periods=5) - 0.05) < 0.02)


def test_more_harm_and_more_cases_wait_less() -> None:
    waits = [typical_wait(10, 0.1, now, runs=60) for now in (0.2, 0.4, 0.9)]
    assert waits == sorted(waits, reverse=True)
    assert typical_wait(40, 0.1, 0.2, runs=60) < waits[0] < math.inf


def test_what_is_no_harm_is_never_found() -> None:
    assert typical_wait(10, 0.1, 0.1, periods=100, runs=60) == math.inf


def test_canary_and_baseline_fit_the_schema_and_select_their_own_pods_only() -> None:
    arms = {name: manifests.arm(name, f"oakbank/{name}:2", 2) for name in ("scorer-canary", "scorer-baseline")}
    for name, text in arms.items():
        assert validate(text) == []
        deployment, service = yaml.safe_load_all(text)
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert service["spec"]["selector"] == {manifests.NAME: name}
        assert labels[manifests.NAME] == name
        assert deployment["spec"]["replicas"] == 2


def test_a_route_names_the_services_and_their_weights() -> None:
    wish = yaml.safe_load(manifests.route({"scorer": 90, "scorer-canary": 5, "scorer-baseline": 5}))
    (rule,) = wish["spec"]["rules"]
    assert [(one["name"], one["weight"]) for one in rule["backendRefs"]][1] == ("scorer-canary", 5)
    assert (wish["apiVersion"], wish["kind"]) == ("gateway.networking.k8s.io/v1", "HTTPRoute")


@pytest.mark.parametrize("weights", [{}, {"a": 0}, {"a": -1, "b": 2}])
def test_weights_that_make_no_sense_are_refused(weights: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="weights are"):
        manifests.route(weights)


def test_an_arm_without_pods_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one pod"):
        manifests.arm("scorer-canary", "oakbank/service:2", 0)
