"""Who finds whom: selectors and labels, a service and its pods, a container and its configuration.

Source: Kubernetes documentation, "Labels and Selectors", "Service" and "Configure a Pod to Use a ConfigMap".
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any

Object = Mapping[str, Any]


def selects(labels_wanted: Mapping[str, str] | None, labels: Mapping[str, str] | None) -> bool:
    """Return whether the selector of a Service picks a pod with these labels. An empty one picks none."""
    wanted, there = labels_wanted or {}, labels or {}
    return bool(wanted) and all(there.get(name) == value for name, value in wanted.items())


def matches(selector: Object, labels: Mapping[str, str] | None) -> bool:
    """Return whether the selector of a Deployment picks a pod with these labels.

    Args:
        selector: `matchLabels`, `matchExpressions` or both; what is there must hold together.
        labels: The pod's labels.
    """
    there = labels or {}
    hold = [there.get(name) == value for name, value in (selector.get("matchLabels") or {}).items()]
    for one in selector.get("matchExpressions") or []:
        value, values = there.get(one["key"]), one.get("values") or []
        hold.append(
            {
                "In": value in values,
                "NotIn": value not in values,
                "Exists": value is not None,
                "DoesNotExist": value is None,
            }[one["operator"]]
        )
    return all(hold)


def container_of(deployment: Object) -> Any:
    """Return the first container of a Deployment's pods."""
    return deployment["spec"]["template"]["spec"]["containers"][0]


def pods_of(deployment: Object) -> list[dict[str, Any]]:
    """Return the pods that a Deployment would run, as far as wiring goes: name, labels, specification."""
    template = deployment["spec"]["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    name = deployment["metadata"]["name"]
    return [
        {"metadata": {"name": f"{name}-{number}", "labels": dict(labels)}, "spec": template["spec"]}
        for number in range(deployment["spec"].get("replicas", 1))
    ]


def target(port: Object, spec: Object) -> int | None:
    """Return the number of the port of a pod that a port of a service leads to; None if it leads nowhere."""
    wanted = port.get("targetPort", port["port"])
    declared = [one for container in spec["containers"] for one in container.get("ports") or []]
    if isinstance(wanted, int):
        return wanted
    return next((one["containerPort"] for one in declared if one.get("name") == wanted), None)


def endpoints(service: Object, pods: Iterable[Object]) -> dict[int, list[str]]:
    """Return where a service sends its requests: for each of its ports "POD:PORT", sorted. All pods count as ready.

    Args:
        service: The Service.
        pods: Pods with name, labels and specification, as `pods_of` gives them.
    """
    chosen = [pod for pod in pods if selects(service["spec"].get("selector"), pod["metadata"].get("labels"))]
    found = {}
    for port in service["spec"]["ports"]:
        led = [(pod["metadata"]["name"], target(port, pod["spec"])) for pod in chosen]
        found[port["port"]] = sorted(f"{name}:{number}" for name, number in led if number is not None)
    return found


def environment(deployment: Object, others: Iterable[Object]) -> dict[str, str]:
    """Return the environment of a Deployment's container, read from the ConfigMaps and Secrets that it names.

    Args:
        deployment: The Deployment.
        others: Whatever else is in its namespace.

    Raises:
        LookupError: A reference leads nowhere. The real pod would hang in `CreateContainerConfigError`.
    """
    known = {(one["kind"], one["metadata"]["name"]): _texts(one) for one in others if one["kind"] in _KINDS.values()}

    def texts(reference: Object, kind: str) -> dict[str, str]:
        if (kind, reference["name"]) in known:
            return known[kind, reference["name"]]
        if reference.get("optional"):
            return {}
        raise LookupError(f"there is no {kind} {reference['name']!r}")

    container = container_of(deployment)
    seen: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        for word, kind in _KINDS.items():
            if f"{word}Ref" in source:
                prefix = source.get("prefix", "")
                seen |= {prefix + key: text for key, text in texts(source[f"{word}Ref"], kind).items()}
    for variable in container.get("env") or []:
        if "valueFrom" not in variable:
            seen[variable["name"]] = variable.get("value", "")
        for word, kind in _KINDS.items():
            if reference := (variable.get("valueFrom") or {}).get(f"{word}KeyRef"):
                there = texts(reference, kind)
                if reference["key"] in there:
                    seen[variable["name"]] = there[reference["key"]]
                elif not reference.get("optional"):
                    raise LookupError(f"{kind} {reference['name']!r} has no key {reference['key']!r}")
    return seen


_KINDS = {"configMap": "ConfigMap", "secret": "Secret"}


def _texts(one: Object) -> dict[str, str]:
    if one["kind"] == "ConfigMap":
        return dict(one.get("data") or {})
    decoded = {key: base64.b64decode(text).decode() for key, text in (one.get("data") or {}).items()}
    return decoded | dict(one.get("stringData") or {})
