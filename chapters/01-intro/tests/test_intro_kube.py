"""The small model of Kubernetes: quantities, wiring, probes, rollouts, schedules, and what the API refuses."""

import copy
import json
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
import yaml
from kubernetes.client import ApiClient  # type: ignore[import-untyped]

from oakbank.intro.cluster import kubectl
from oakbank.intro.kube import (
    REFUSED,
    endpoints,
    environment,
    fires,
    fit,
    limits,
    live,
    matches,
    pods_of,
    problems,
    qos_class,
    quantity,
    requests_of,
    roll_out,
    runs,
    selects,
)

DEPLOYMENT = yaml.safe_load("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: scorer, labels: {app: scorer}}
spec:
  replicas: 3
  selector: {matchLabels: {app: scorer}}
  template:
    metadata: {labels: {app: scorer, release: "1"}}
    spec:
      containers:
      - name: service
        image: oakbank/service:1
        ports: [{name: http, containerPort: 8000}]
        resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
""")
SERVICE = yaml.safe_load("""
apiVersion: v1
kind: Service
metadata: {name: scorer}
spec: {selector: {app: scorer}, ports: [{port: 80, targetPort: http}]}
""")
CRON = yaml.safe_load("""
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: 30 2 * * *
  jobTemplate:
    spec:
      template: {spec: {restartPolicy: Never, containers: [{name: batch, image: oakbank/batch:1}]}}
""")


def changed(manifest: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with one field set; a number in the path is a place in a list, `None` as value takes the field out."""
    made = copy.deepcopy(manifest)
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inside: Any = made
    for step in way:
        inside = inside[step] if isinstance(step, int) else inside.setdefault(step, {})
    if value is None:
        del inside[last]
    else:
        inside[last] = value
    return made


# --- quantities


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("250m", Fraction(1, 4)),
        ("0.1", Fraction(1, 10)),
        (2, 2),
        (0.5, Fraction(1, 2)),
        ("128974848", 128974848),
        ("129e6", 129_000_000),
        ("129M", 129_000_000),
        ("128974848000m", 128974848),
        ("123Mi", 128974848),
        ("1Gi", 2**30),
        ("2Ki", 2048),
        ("1k", 1000),
        ("1.5Gi", 3 * 2**29),
        ("100n", Fraction(1, 10**7)),
        ("1E", 10**18),
        ("1e3", 1000),
        ("-1", -1),
    ],
)
def test_quantities_of_the_documentation(text: str | float, value: Fraction | int) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["256MB", "1 Gi", "", "Mi", "1,5", "0x10", "1K", "1mi", "--1", None])
def test_what_is_no_quantity(text: Any) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        quantity(text)


def pod(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"containers": [{"name": f"c{number}", "resources": one} for number, one in enumerate(resources)]}


def test_a_pod_asks_for_the_sum_and_for_its_limit_where_it_requests_nothing() -> None:
    asked = requests_of(
        pod({"requests": {"cpu": "100m"}, "limits": {"cpu": "2", "memory": "1Ki"}}, {}, {"requests": {"cpu": 1}})
    )
    assert asked == {"cpu": Fraction(11, 10), "memory": 1024}


@pytest.mark.parametrize(
    ("node", "resources", "copies"),
    [
        ({"cpu": "2", "memory": "4Gi"}, {"requests": {"cpu": "500m", "memory": "1Gi"}}, 4),
        ({"cpu": "2", "memory": "4Gi"}, {"requests": {"cpu": "501m", "memory": "1Gi"}}, 3),
        ({"cpu": "2", "memory": "4Gi"}, {"requests": {"cpu": "100m", "memory": "4Gi"}}, 1),
        ({"cpu": "2", "memory": "4Gi"}, {"requests": {"cpu": "3"}}, 0),
        ({"cpu": "2", "memory": "4Gi", "pods": "9"}, {}, 9),
        ({"cpu": "2", "memory": "4Gi"}, {}, 110),
    ],
)
def test_how_many_fit(node: dict[str, str], resources: dict[str, Any], copies: int) -> None:
    assert fit(node, pod(resources)) == copies


@pytest.mark.parametrize(
    ("resources", "name"),
    [
        ([{}], "BestEffort"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}], "Guaranteed"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1G"}}], "Burstable"),
        ([{"limits": {"memory": "1Gi"}}], "Burstable"),
        ([{"requests": {"cpu": "1"}}], "Burstable"),
        ([{"limits": {"cpu": "1", "memory": "1Gi"}}, {}], "Burstable"),
    ],
)
def test_quality_of_service(resources: list[dict[str, Any]], name: str) -> None:
    assert qos_class(pod(*resources)) == name


# --- what the API refuses


@pytest.mark.parametrize("manifest", [DEPLOYMENT, SERVICE, CRON], ids=lambda one: one["kind"])
def test_sound_manifests_are_taken(manifest: dict[str, Any]) -> None:
    assert problems(manifest) == []


CONTAINER = "spec.template.spec.containers.0"
DEFECTS = [
    (DEPLOYMENT, "apiVersion", "v1", "no Deployment in v1"),
    (DEPLOYMENT, "spec.replica", 3, "'replica' was unexpected"),
    (DEPLOYMENT, "spec.replicas", "3", "not of type"),
    (DEPLOYMENT, "spec.replicas", -1, "negative"),
    (DEPLOYMENT, "metadata.name", "Scorer", "no name"),
    (DEPLOYMENT, "metadata.labels.app", "no spaces", "no label"),
    (DEPLOYMENT, "metadata.annotations", {"a/b/c": "x"}, "no key"),
    (DEPLOYMENT, "spec.template.metadata.annotations", {"": "x"}, "no key"),
    (DEPLOYMENT, "spec.template.metadata.labels.release", "a" * 64, "no label"),
    (DEPLOYMENT, "spec.selector.matchLabels.app", "other", "does not match template labels"),
    (DEPLOYMENT, "spec.selector", {}, "empty selector"),
    (DEPLOYMENT, "spec.selector.matchExpressions", [{"key": "app", "operator": "DoesNotExist"}], "does not match"),
    (DEPLOYMENT, "spec.template.spec.restartPolicy", "Never", "restartPolicy"),
    (DEPLOYMENT, "spec.template.spec.containers", [], "Required value"),
    (DEPLOYMENT, "spec.template.spec.containers", [{"name": "a", "image": "i"}] * 2, "same name"),
    (DEPLOYMENT, f"{CONTAINER}.name", "the_service", "no name"),
    (DEPLOYMENT, f"{CONTAINER}.image", None, "image: Required"),
    (DEPLOYMENT, f"{CONTAINER}.ports.0.containerPort", 80000, "1 to 65535"),
    (DEPLOYMENT, f"{CONTAINER}.ports.0.name", "a-name-that-is-long", "at most 15"),
    (DEPLOYMENT, f"{CONTAINER}.livenessProbe", {"periodSeconds": 3}, "exactly one way"),
    (DEPLOYMENT, f"{CONTAINER}.livenessProbe", {"tcpSocket": {"port": 1}, "successThreshold": 2}, "must be 1"),
    (DEPLOYMENT, f"{CONTAINER}.readinessProbe", {"tcpSocket": {"port": 1}, "periodSeconds": -2}, "equal to 0"),
    (DEPLOYMENT, f"{CONTAINER}.resources.requests.memory", "128MB", "no quantity"),
    (DEPLOYMENT, f"{CONTAINER}.resources.requests.memory", "512Mi", "at most the limit"),
    (DEPLOYMENT, "spec.strategy", {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}, "type is Recreate"),
    (DEPLOYMENT, "spec.strategy.rollingUpdate", {"maxSurge": 0, "maxUnavailable": 0}, "may not be 0"),
    (DEPLOYMENT, "spec.strategy.rollingUpdate", {"maxSurge": "a half"}, "no share"),
    (DEPLOYMENT, "spec.strategy.rollingUpdate", {"maxSurge": -1}, "no share"),
    (DEPLOYMENT, "spec.minReadySeconds", 600, "greater than minReadySeconds"),
    (SERVICE, "metadata.name", "1scorer", "no name"),
    (SERVICE, "spec.ports", [], "Required value"),
    (SERVICE, "spec.ports", [{"port": 80}, {"port": 81}], "a name of its own"),
    (SERVICE, "spec.ports", [{"port": 80, "name": "a"}, {"port": 80, "name": "b"}], "same port twice"),
    (SERVICE, "spec.ports.0.targetPort", "not a name", "name of a port"),
    (SERVICE, "spec.ports.0.port", 0, "1 to 65535"),
    (SERVICE, "spec.selector.app", "no spaces", "no label"),
    (CRON, "metadata.name", "n" * 53, "no name"),
    (CRON, "spec.schedule", "2 o'clock", "no schedule"),
    (CRON, "spec.schedule", "61 2 * * *", "no minute"),
    (CRON, "spec.concurrencyPolicy", "Wait", "Allow, Forbid or Replace"),
    (CRON, "spec.jobTemplate.spec.template.spec.restartPolicy", "Always", "restartPolicy"),
    (CRON, "spec.jobTemplate.spec.template.spec.restartPolicy", None, "restartPolicy"),
    (CRON, "spec.jobTemplate.spec.backoffLimit", -1, "backoffLimit"),
    (CRON, "spec.activeDeadlineSeconds", 9, "unexpected"),
]


@pytest.mark.parametrize(
    ("manifest", "path", "value", "said"), DEFECTS, ids=[f"{path}={value}" for _, path, value, _ in DEFECTS]
)
def test_a_defect_is_named(manifest: dict[str, Any], path: str, value: object, said: str) -> None:
    assert said in " ".join(problems(changed(manifest, path, value)))


def refusal(manifest: dict[str, Any]) -> str:
    """Return why the cluster refuses a manifest; empty where it would take it."""
    said = kubectl("create", "-n", "default", "--dry-run=server", "-f", "-", stdin=json.dumps(manifest), check=False)
    return "" if "created (server dry run)" in said else said


@pytest.mark.cluster
def test_a_cluster_refuses_and_takes_the_same(cluster: ApiClient) -> None:
    """CronJobs only where the cluster is new enough to have them in this version of their API."""
    crons = "cronjobs" in kubectl("get", "--raw", "/apis/batch/v1")
    kinds = ("Deployment", "Service", *(["CronJob"] if crons else []))
    assert [refusal(one) for one in (DEPLOYMENT, SERVICE, CRON) if one["kind"] in kinds] == [""] * len(kinds)
    bad = [(path, value, changed(manifest, path, value)) for manifest, path, value, _ in DEFECTS]
    assert [(path, value) for path, value, one in bad if one["kind"] in kinds and not refusal(one)] == []


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"N": 1}}, "not of type"),
        ({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"a b": "x"}}, "no key"),
        ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"p": "secret!"}}, "illegal base64"),
        (None, "a manifest is a dict"),
        ({"kind": "Deployment"}, "a manifest is a dict"),
    ],
)
def test_data_and_what_is_no_manifest(manifest: Any, said: str) -> None:
    assert said in " ".join(problems(manifest))


def test_a_selector_cannot_be_changed_and_an_image_can() -> None:
    other = changed(
        changed(DEPLOYMENT, "spec.selector.matchLabels.release", "1"), f"{CONTAINER}.image", "oakbank/service:2"
    )
    assert problems(other) == []
    assert problems(other, DEPLOYMENT) == ["spec.selector: field is immutable"]
    assert problems(changed(DEPLOYMENT, f"{CONTAINER}.image", "oakbank/service:2"), DEPLOYMENT) == []


# --- wiring


def test_selectors() -> None:
    labels = {"app": "scorer", "release": "1"}
    assert selects({"app": "scorer"}, labels)
    assert not selects({"app": "scorer", "team": "credit"}, labels)
    assert not selects({}, labels)
    assert not selects(None, labels)
    for operator, values, holds in (
        ("In", ["1", "2"], True), ("NotIn", ["1"], False), ("Exists", None, True), ("DoesNotExist", None, False),
    ):  # fmt: skip
        assert (
            matches({"matchExpressions": [{"key": "release", "operator": operator, "values": values}]}, labels) is holds
        )
    assert not matches(
        {"matchLabels": {"app": "x"}, "matchExpressions": [{"key": "app", "operator": "Exists"}]}, labels
    )


def test_endpoints_follow_labels_and_names_of_ports() -> None:
    pods = pods_of(DEPLOYMENT)
    assert endpoints(SERVICE, pods) == {80: ["scorer-0:8000", "scorer-1:8000", "scorer-2:8000"]}
    assert endpoints(changed(SERVICE, "spec.ports.0.targetPort", "web"), pods) == {80: []}
    assert endpoints(changed(SERVICE, "spec.selector.app", "other"), pods) == {80: []}
    assert endpoints(changed(SERVICE, "spec.ports.0.targetPort", 9), pods)[80][0] == "scorer-0:9"
    assert endpoints(changed(SERVICE, "spec.ports.0.targetPort", None), pods)[80][0] == "scorer-0:80"


def test_environment_is_read_by_reference() -> None:
    plain = {"kind": "ConfigMap", "metadata": {"name": "plain"}, "data": {"A": "1", "B": "2"}}
    hidden = {"kind": "Secret", "metadata": {"name": "hidden"}, "data": {"P": "c3dvcmRmaXNo"}, "stringData": {"Q": "x"}}
    container = {
        "name": "c",
        "envFrom": [{"configMapRef": {"name": "plain"}}, {"prefix": "S_", "secretRef": {"name": "hidden"}}],
        "env": [
            {"name": "B", "value": "3"},
            {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "hidden", "key": "P"}}},
            {"name": "NONE", "valueFrom": {"configMapKeyRef": {"name": "plain", "key": "Z", "optional": True}}},
        ],
    }
    manifest = changed(DEPLOYMENT, "spec.template.spec.containers", [container])
    seen = environment(manifest, [plain, hidden])
    assert seen == {"A": "1", "B": "3", "S_P": "swordfish", "S_Q": "x", "WORD": "swordfish"}
    with pytest.raises(LookupError, match="no Secret 'hidden'"):
        environment(manifest, [plain])
    with pytest.raises(LookupError, match="no key 'P'"):
        environment(manifest, [plain, {"kind": "Secret", "metadata": {"name": "hidden"}}])


# --- probes


def probed(**probes: Any) -> dict[str, Any]:
    return {"name": "c", "ports": [{"name": "http", "containerPort": 8000}], **probes}


def get(path: str = "/", **numbers: int) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": "http"}, **numbers}


def test_without_probes_it_serves_from_its_start() -> None:
    life = live(probed(), lambda path, age, now: None, 100)
    assert (life.killed, life.ready) == ((), ((0, 100),))


def test_liveness_kills_after_the_threshold_and_waits_longer_each_time() -> None:
    life = live(probed(livenessProbe=get(periodSeconds=5, failureThreshold=3)), lambda path, age, now: 500, 60)
    assert life.killed == (10.0, 20.0, 40.0)  # 0, 5, 10; at once again, then after 10 s: 30, 35, 40; then after 20 s


def test_an_answer_that_stays_away_takes_its_timeout() -> None:
    hung = live(probed(livenessProbe=get(periodSeconds=5, timeoutSeconds=3)), lambda path, age, now: None, 15)
    refused = live(probed(livenessProbe=get(periodSeconds=5, timeoutSeconds=3)), lambda path, age, now: REFUSED, 12)
    assert (hung.killed[0], refused.killed[0]) == (13.0, 10.0)


def test_one_good_answer_forgets_the_failures() -> None:
    blinking = live(
        probed(livenessProbe=get(periodSeconds=1)), lambda path, age, now: 200 if now % 3 == 2 else 500, 300
    )
    assert blinking.killed == ()


def test_the_others_wait_for_the_startup_probe() -> None:
    spec = probed(
        startupProbe=get(periodSeconds=1, failureThreshold=9), livenessProbe=get(periodSeconds=1, failureThreshold=1)
    )
    assert live(spec, lambda path, age, now: 200 if age >= 8 else REFUSED, 50).ready == ((8.0, 50.0),)
    assert live(spec, lambda path, age, now: 200 if age >= 9 else REFUSED, 20).killed == (8.0, 16.0)
    assert live(spec, lambda path, age, now: 200 if age < 20 else REFUSED, 21).killed == (20.0,)


def test_initial_delay_and_phase_move_the_first_look() -> None:
    spec = probed(livenessProbe=get(periodSeconds=10, failureThreshold=1, initialDelaySeconds=25))
    assert live(spec, lambda *_: 500, 31).killed == (30.0,)
    assert live(spec, lambda *_: 500, 31, (0.0, 0.5, 0.0)).killed == (25.0,)


def test_each_probe_has_a_phase_of_its_own() -> None:
    spec = probed(startupProbe=get(), readinessProbe=get("/readyz"))
    assert live(spec, lambda *_: 200, 50).ready == ((0.0, 50.0),)
    assert live(spec, lambda *_: 200, 50, (0.5, 0.0, 0.25)).ready == ((12.5, 50.0),)


def test_readiness_takes_out_of_traffic_and_never_kills() -> None:
    spec = probed(readinessProbe=get("/readyz", periodSeconds=2, failureThreshold=2))
    life = live(spec, lambda path, age, now: 503 if 20 <= now < 40 else 200, 60)
    assert life.killed == ()
    assert life.ready == ((0.0, 22.0), (40.0, 60.0))
    assert (life.serves(21), life.serves(22), life.serves(39), life.serves(40)) == (True, False, False, True)


def test_a_socket_answers_also_where_the_process_hangs() -> None:
    socket = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
    assert live(probed(livenessProbe=socket), lambda *_: None, 60).killed == ()
    assert live(probed(livenessProbe=socket), lambda *_: REFUSED, 3).killed == (2.0,)


def test_a_probe_of_an_undeclared_port_finds_nobody() -> None:
    wrong = {"httpGet": {"port": "web"}, "periodSeconds": 1}
    assert live(probed(livenessProbe=wrong), lambda *_: 200, 3).killed == (2.0,)


def test_what_is_not_simulated_says_so() -> None:
    with pytest.raises(ValueError, match="only httpGet and tcpSocket"):
        live(probed(livenessProbe={"exec": {"command": ["true"]}}), lambda *_: 200, 60)


# --- rollouts


def sized(replicas: int, **spec: Any) -> dict[str, Any]:
    return {"spec": {"replicas": replicas, **spec}}


def rolling(unavailable: int | str, surge: int | str, **spec: Any) -> dict[str, Any]:
    return {"strategy": {"rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}}, **spec}


@pytest.mark.parametrize(
    ("manifest", "missing", "extra"),
    [
        (sized(10), 2, 3),
        (sized(4), 1, 1),
        (sized(3), 0, 1),
        (sized(1), 0, 1),
        (sized(10, **rolling("30%", "30%")), 3, 3),
        (sized(3, **rolling("10%", 0)), 1, 0),
        (sized(2, **rolling(5, 1)), 2, 1),
        (sized(4, **rolling(0, "100%")), 0, 4),
    ],
)
def test_shares_round_down_for_missing_and_up_for_extra(manifest: dict[str, Any], missing: int, extra: int) -> None:
    assert limits(manifest) == (missing, extra)


@pytest.mark.parametrize("replicas", [1, 2, 3, 5, 8, 13])
def test_no_release_crosses_the_bounds(replicas: int) -> None:
    unavailable: Any
    surge: Any
    for unavailable, surge, starts, dies, settle in product(
        (0, 1, "25%", "60%"), (0, 1, "25%", 3), (None, 4), (None, 3), (0, 6)
    ):
        manifest = sized(replicas, **rolling(unavailable, surge, minReadySeconds=settle))
        missing, extra = limits(manifest)
        seen = roll_out(manifest, starts, dies, until=200)
        assert seen.most <= replicas + extra
        if dies is None or starts is None:
            assert seen.fewest >= replicas - missing
            assert (seen.finished is not None) == (starts is not None)


def test_a_release_that_never_starts_stops_where_the_numbers_say() -> None:
    seen = roll_out(sized(10, progressDeadlineSeconds=60), starts=None, until=300)
    assert (seen.fewest, seen.most, seen.finished, seen.reported) == (8, 13, None, 60)


def test_a_good_release_one_at_a_time() -> None:
    seen = roll_out(sized(3, **rolling(0, 1)), starts=10)
    assert (seen.fewest, seen.most, seen.finished, seen.reported) == (3, 4, 30, None)
    assert roll_out(sized(3, **rolling(0, 1, minReadySeconds=5)), starts=10).finished == 45


def test_a_release_that_crashes_after_it_was_ready() -> None:
    hasty = roll_out(sized(4, **rolling(0, 1)), starts=5, dies=20)
    settled = roll_out(sized(4, **rolling(0, 1, minReadySeconds=20)), starts=5, dies=20)
    assert hasty.fewest < 4
    assert (settled.fewest, settled.finished) == (4, None)


def test_recreate_serves_nobody_for_a_while() -> None:
    seen = roll_out(sized(4, strategy={"type": "Recreate"}), starts=7)
    assert (seen.fewest, seen.most, seen.finished) == (0, 4, 7)


# --- schedules


@pytest.mark.parametrize(
    ("schedule", "begin", "hours", "due"),
    [
        ("30 2 * * *", "2025-12-31T00:00", 48, ["2025-12-31T02:30", "2026-01-01T02:30"]),
        ("*/20 5 * * *", "2026-03-01T00:00", 24, ["2026-03-01T05:00", "2026-03-01T05:20", "2026-03-01T05:40"]),
        ("0 9-11 * * 1", "2026-03-01T00:00", 72, ["2026-03-02T09:00", "2026-03-02T10:00", "2026-03-02T11:00"]),
        ("0 6 1,15 * *", "2026-02-27T00:00", 72, ["2026-03-01T06:00"]),
        ("0 0 2 * 7", "2026-03-01T00:00", 72, ["2026-03-01T00:00", "2026-03-02T00:00"]),  # either, if both are named
        ("5/25 0 * * *", "2026-03-01T00:00", 2, ["2026-03-01T00:05", "2026-03-01T00:30", "2026-03-01T00:55"]),
        ("@daily", "2026-03-01T12:00", 24, ["2026-03-02T00:00"]),
        ("0 0 29 2 *", "2026-02-01T00:00", 24 * 60, []),
    ],
)
def test_when_a_schedule_is_due(schedule: str, begin: str, hours: int, due: list[str]) -> None:
    assert fires(schedule, datetime.fromisoformat(begin), hours) == [datetime.fromisoformat(one) for one in due]


@pytest.mark.parametrize(
    "schedule", ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "5-2 * * * *", "x * * * *"]
)
def test_what_is_no_schedule(schedule: str) -> None:
    with pytest.raises(ValueError, match="is no "):
        fires(schedule, datetime(2026, 3, 1), 1)


BEGIN = datetime(2026, 3, 1)


def night(**spec: Any) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(CRON)
    made["spec"] |= {key: value for key, value in spec.items() if key in ("concurrencyPolicy", "suspend")}
    made["spec"]["jobTemplate"]["spec"] |= {
        key: value for key, value in spec.items() if key in ("backoffLimit", "activeDeadlineSeconds")
    }
    return made


def test_a_job_tries_again_with_growing_waits() -> None:
    (run,) = runs(night(), BEGIN, 24, [timedelta(minutes=1)], fails=2)
    assert (run.tries, run.outcome, run.end - run.begin) == (3, "complete", timedelta(minutes=3, seconds=30))
    assert runs(night(), BEGIN, 24, fails=99)[0].tries == 7
    assert [(run.tries, run.outcome) for run in runs(night(backoffLimit=0), BEGIN, 24, fails=1)] == [(1, "failed")]


def test_restarts_in_one_pod_end_as_the_last_one_begins() -> None:
    for limit, may_fail in ((0, 0), (1, 0), (2, 1), (4, 3)):
        job = changed(night(backoffLimit=limit), "spec.jobTemplate.spec.template.spec.restartPolicy", "OnFailure")
        good, bad = (runs(job, BEGIN, 24, fails=fails)[0] for fails in (may_fail, may_fail + 1))
        assert (good.outcome, good.tries) == ("complete", may_fail + 1)
        assert (bad.outcome, bad.tries) == ("failed", may_fail + 2)


def test_a_job_ends_at_its_deadline() -> None:
    (run,) = runs(night(activeDeadlineSeconds=90), BEGIN, 24, [timedelta(hours=1)])
    assert (run.outcome, run.end - run.begin) == ("failed", timedelta(seconds=90))


@pytest.mark.parametrize(
    ("policy", "outcomes"),
    [
        ("Allow", ["complete"] * 4),
        ("Forbid", ["complete", "complete"]),
        ("Replace", ["replaced", "complete", "complete", "complete"]),
    ],
)
def test_a_night_that_meets_the_last_one(policy: str, outcomes: list[str]) -> None:
    found = runs(night(concurrencyPolicy=policy), BEGIN, 96, [timedelta(hours=60), timedelta(hours=1)])
    assert [run.outcome for run in found] == outcomes


def test_a_suspended_one_does_not_run() -> None:
    assert runs(night(suspend=True), BEGIN, 96) == []
