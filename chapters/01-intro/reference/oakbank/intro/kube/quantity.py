"""Quantities of Kubernetes as exact numbers, what a pod asks for, and what a node has room for.

Source: Kubernetes documentation, "Resource Management for Pods and Containers", "Pod Quality of Service Classes", and
the reference of `Quantity` (apimachinery `pkg/api/resource`).
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d+)?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


def quantity(text: str | int | float) -> Fraction:
    """Return a quantity as an exact number: cores of CPU, bytes of memory.

    Args:
        text: As in a manifest: "250m" is a quarter of a core, "256Mi" is 256 x 1024 x 1024 bytes, "256M" is less, and
            "256m" is a quarter of a *byte*.

    Raises:
        ValueError: The text is no quantity. "256MB" is none.
    """
    found = _QUANTITY.fullmatch(str(text))
    if found is None:
        raise ValueError(f"{text!r} is no quantity: write a number and a suffix such as m, k, M, G, Ki, Mi or Gi")
    number, suffix = Fraction(found[1]), found[2] or ""
    if suffix in _BINARY:
        return number * (1 << 10 * _BINARY[suffix])
    power = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
    return number * (Fraction(10**power) if power >= 0 else Fraction(1, 10**-power))


def requests_of(spec: Mapping[str, Any]) -> dict[str, Fraction]:
    """Return what the scheduler reserves for a pod: the sum over its containers of cores, and of bytes.

    Args:
        spec: Specification of a pod. A container with a limit and no request asks for its limit.
    """
    total = {"cpu": Fraction(0), "memory": Fraction(0)}
    for container in spec["containers"]:
        resources = container.get("resources") or {}
        asked = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        for name in total:
            total[name] += quantity(asked.get(name, 0))
    return total


def fit(node: Mapping[str, str], spec: Mapping[str, Any]) -> int:
    """Return how many copies of a pod an empty node takes. What they ask for counts, what they use does not.

    Args:
        node: What the node has to give (`status.allocatable`): "cpu", "memory" and, if there, "pods" as quantities.
        spec: Specification of the pod.
    """
    asked = requests_of(spec)
    room = [int(quantity(node[name]) / need) for name, need in asked.items() if need > 0]
    return min([int(quantity(node.get("pods", 110))), *room])


def qos_class(spec: Mapping[str, Any]) -> str:
    """Return who goes first where a node runs out of memory: "BestEffort", then "Burstable", then "Guaranteed"."""
    every = [container.get("resources") or {} for container in spec["containers"]]
    if not any(resources.get("requests") or resources.get("limits") for resources in every):
        return "BestEffort"
    for resources in every:
        limits = resources.get("limits") or {}
        asked = {**limits, **(resources.get("requests") or {})}
        for name in ("cpu", "memory"):
            if name not in limits or quantity(asked[name]) != quantity(limits[name]):
                return "Burstable"
    return "Guaranteed"
