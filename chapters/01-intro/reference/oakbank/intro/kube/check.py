"""What the API server would say to a manifest, without a server: its schema, and its rules that no schema holds.

Source: the schemas of `kubernetes-validate`; the rules of Kubernetes' `pkg/apis/*/validation/validation.go`, as far as
the manifests of this chapter can break them.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes_validate import (  # type: ignore[import-untyped]
    SchemaNotFoundError,
    ValidationError,
    validate,
)

from oakbank.intro.kube.cron import parse
from oakbank.intro.kube.quantity import quantity
from oakbank.intro.kube.wiring import matches

KUBERNETES = "1.31"
"""Version of the API that a manifest is checked against."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_DATA_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_SHARE = re.compile(r"\d+%")
_PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def problems(manifest: Any, before: Mapping[str, Any] | None = None) -> list[str]:
    """Return why the API server would refuse a manifest, a sentence each; empty where it would take it.

    Args:
        manifest: One object, as a dict.
        before: The object of the same name that is already there: some fields cannot be changed.
    """
    if not isinstance(manifest, dict) or not {"apiVersion", "kind", "metadata"} <= set(manifest):
        return ["a manifest is a dict with apiVersion, kind, metadata and what the kind asks for"]
    try:
        validate(manifest, KUBERNETES, strict=True)
    except ValidationError as error:
        return [f"{'.'.join(str(step) for step in error.path) or 'the object'}: {error.message}"]
    except SchemaNotFoundError as error:
        return [f"there is no {error.kind} in {error.api_version}"]
    found = list(_named(manifest))
    rules = {
        "Deployment": _deployment,
        "Service": _service,
        "ConfigMap": _data,
        "Secret": _data,
        "Job": _job,
        "CronJob": _cron_job,
    }
    if rule := rules.get(manifest["kind"]):
        found += rule(manifest)
    deployments = before is not None and before["kind"] == manifest["kind"] == "Deployment"
    if before is not None and deployments and before["spec"]["selector"] != manifest["spec"]["selector"]:
        found.append("spec.selector: field is immutable")
    return found


def _named(manifest: Mapping[str, Any]) -> Iterator[str]:
    name, kind = manifest["metadata"].get("name") or "", manifest["kind"]
    pattern = _SERVICE if kind == "Service" else _SUBDOMAIN
    if not pattern.fullmatch(name) or (kind == "CronJob" and len(name) > 52):
        yield f"metadata.name: {name!r} is no name: lower case letters, digits and -, not too long"
    yield from _labels(manifest["metadata"].get("labels"), "metadata.labels")
    yield from _annotations(manifest["metadata"].get("annotations"), "metadata.annotations")


def _labels(labels: Mapping[str, str] | None, where: str) -> Iterator[str]:
    for key, value in (labels or {}).items():
        if not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            yield f"{where}: {key}: {value!r} is no label: letters, digits, - _ and ., at most 63"


def _annotations(annotations: Mapping[str, str] | None, where: str) -> Iterator[str]:
    for key in annotations or {}:
        if not _KEY.fullmatch(key.lower()):
            yield f"{where}: {key!r} is no key: letters, digits, - _ and ., with at most one / after a domain"


def _deployment(manifest: Mapping[str, Any]) -> Iterator[str]:
    spec = manifest["spec"]
    if spec.get("replicas", 1) < 0:
        yield "spec.replicas: must not be negative"
    labels = (spec["template"].get("metadata") or {}).get("labels")
    if not any(spec["selector"].values()):
        yield "spec.selector: an empty selector is invalid for a Deployment"
    elif not matches(spec["selector"], labels):
        yield "spec.template.metadata.labels: selector does not match template labels"
    yield from _labels(labels, "spec.template.metadata.labels")
    annotations = (spec["template"].get("metadata") or {}).get("annotations")
    yield from _annotations(annotations, "spec.template.metadata.annotations")
    yield from _pod(spec["template"].get("spec") or {}, ("Always",), "spec.template.spec")
    strategy = spec.get("strategy") or {}
    rolling = strategy.get("rollingUpdate")
    if rolling is not None and strategy.get("type") == "Recreate":
        yield "spec.strategy.rollingUpdate: may not be specified when strategy type is Recreate"
    shares = [(rolling or {}).get(word, "25%") for word in ("maxUnavailable", "maxSurge")]
    for share in shares:
        if not (isinstance(share, int) and share >= 0) and not _SHARE.fullmatch(str(share)):
            yield f"spec.strategy.rollingUpdate: {share!r} is no number of pods and no share such as 25%"
    if all(share in (0, "0%") for share in shares):
        yield "spec.strategy.rollingUpdate.maxUnavailable: may not be 0 when maxSurge is 0"
    settle, deadline = spec.get("minReadySeconds", 0), spec.get("progressDeadlineSeconds", 600)
    if settle < 0 or deadline <= settle:
        yield "spec.progressDeadlineSeconds: must be greater than minReadySeconds, and neither below 0"


def _pod(spec: Mapping[str, Any], restart: tuple[str, ...], where: str) -> Iterator[str]:
    if spec.get("restartPolicy", "Always") not in restart:
        yield f"{where}.restartPolicy: {spec.get('restartPolicy', 'Always')!r} is not among {', '.join(restart)}"
    containers = spec.get("containers") or []
    if not containers:
        yield f"{where}.containers: Required value"
    if len({one["name"] for one in containers}) < len(containers):
        yield f"{where}.containers: two have the same name"
    for one in containers:
        yield from _container(one, f"{where}.containers[{one['name']}]")


def _container(one: Mapping[str, Any], where: str) -> Iterator[str]:
    if not _LABEL.fullmatch(one["name"]):
        yield f"{where}.name: {one['name']!r} is no name: lower case letters, digits and -"
    if not (one.get("image") or "").strip() or one["image"] != one["image"].strip():
        yield f"{where}.image: Required value"
    ports = one.get("ports") or []
    names = [port["name"] for port in ports if "name" in port]
    if any(not 1 <= port["containerPort"] <= 65535 for port in ports):
        yield f"{where}.ports: a port is a number from 1 to 65535"
    if len(set(names)) < len(names) or not all(_PORT_NAME.fullmatch(name) for name in names):
        yield f"{where}.ports: a name of a port has at most 15 of a-z, 0-9 and -, and is there once"
    for kind in _PROBES:
        if probe := one.get(kind):
            yield from _probe(probe, kind, f"{where}.{kind}")
    resources = one.get("resources") or {}
    amounts: dict[tuple[str, str], Any] = {}
    for part in ("requests", "limits"):
        for name, text in (resources.get(part) or {}).items():
            try:
                amounts[part, name] = quantity(text)
            except ValueError as error:
                yield f"{where}.resources.{part}.{name}: {error}"
    for (part, name), amount in amounts.items():
        if amount < 0 or (part == "requests" and amount > amounts.get(("limits", name), amount)):
            yield f"{where}.resources.{part}.{name}: must be at least 0 and at most the limit"


def _probe(probe: Mapping[str, Any], kind: str, where: str) -> Iterator[str]:
    handlers = [word for word in ("httpGet", "tcpSocket", "exec", "grpc") if probe.get(word)]
    if len(handlers) != 1:
        yield f"{where}: must have exactly one way to ask, such as httpGet"
    numbers = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold")
    if any(probe.get(word, 1) < 0 for word in numbers):
        yield f"{where}: must be greater than or equal to 0"
    if kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
        yield f"{where}.successThreshold: must be 1"


def _service(manifest: Mapping[str, Any]) -> Iterator[str]:
    ports = manifest["spec"].get("ports") or []
    if not ports:
        yield "spec.ports: Required value"
    names = [port.get("name", "") for port in ports]
    if len(ports) > 1 and (not all(names) or len(set(names)) < len(names)):
        yield "spec.ports: where there are several, each has a name of its own"
    if len({(port["port"], port.get("protocol", "TCP")) for port in ports}) < len(ports):
        yield "spec.ports: the same port twice"
    for port in ports:
        leads = port.get("targetPort", port["port"])
        right = 1 <= leads <= 65535 if isinstance(leads, int) else _PORT_NAME.fullmatch(leads)
        if not 1 <= port["port"] <= 65535 or not right:
            yield f"spec.ports: {port['port']} -> {leads!r}: numbers from 1 to 65535, or the name of a port"
    yield from _labels(manifest["spec"].get("selector"), "spec.selector")


def _data(manifest: Mapping[str, Any]) -> Iterator[str]:
    data = manifest.get("data") or {}
    for key, text in data.items():
        if not _DATA_KEY.fullmatch(key):
            yield f"data: {key!r} is no key: letters, digits, - _ and ."
        if manifest["kind"] == "Secret":
            try:
                base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                yield f"data.{key}: illegal base64 data"


def _job(manifest: Mapping[str, Any], where: str = "spec") -> Iterator[str]:
    yield from _pod(manifest["spec"]["template"].get("spec") or {}, ("OnFailure", "Never"), f"{where}.template.spec")
    for word in ("backoffLimit", "activeDeadlineSeconds", "completions", "parallelism", "ttlSecondsAfterFinished"):
        if (manifest["spec"].get(word) or 0) < 0:
            yield f"{where}.{word}: must be greater than or equal to 0"


def _cron_job(manifest: Mapping[str, Any]) -> Iterator[str]:
    spec = manifest["spec"]
    try:
        parse(spec["schedule"])
    except ValueError as error:
        yield f"spec.schedule: {error}"
    if spec.get("concurrencyPolicy", "Allow") not in ("Allow", "Forbid", "Replace"):
        yield "spec.concurrencyPolicy: Allow, Forbid or Replace"
    yield from _job(spec["jobTemplate"], "spec.jobTemplate.spec")
