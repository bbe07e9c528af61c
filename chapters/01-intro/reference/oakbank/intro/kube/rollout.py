"""A rolling update, second by second: how many pods there are and how many can serve while a release comes in.

Source: Kubernetes documentation, "Deployments" (rolling update, `minReadySeconds`, `progressDeadlineSeconds`); the
order of steps as in the controller's `pkg/controller/deployment/rolling.go`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rollout:
    """What a release did. Times are seconds since it was applied; None means that it did not happen.

    Attributes:
        fewest: Fewest pods that could serve at any moment.
        most: Most pods that there were at any moment.
        finished: When only the new release ran, all of it available.
        reported: When the Deployment said `ProgressDeadlineExceeded`.
        serving: For each second, how many pods could serve.
    """

    fewest: int
    most: int
    finished: int | None
    reported: int | None
    serving: tuple[int, ...]


def pods(share: int | str, replicas: int, up: bool) -> int:
    """Return "25%" or a number as a number of pods, a share rounded up or down."""
    if isinstance(share, int):
        return share
    exact = int(share.removesuffix("%")) * replicas / 100
    return math.ceil(exact) if up else math.floor(exact)


def limits(deployment: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many pods may be missing, and how many too many, during a rolling update of this Deployment.

    A share of unavailable pods is rounded down, one of extra pods up. Where both end at 0, one pod may be missing.
    """
    replicas = deployment["spec"].get("replicas", 1)
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    missing = pods(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    extra = pods(rolling.get("maxSurge", "25%"), replicas, up=True)
    return (1, 0) if missing == extra == 0 else (min(missing, replicas), extra)


def roll_out(
    deployment: Mapping[str, Any], starts: int | None = 5, dies: int | None = None, until: int = 900
) -> Rollout:
    """Return what happens when a new release of a Deployment comes, whose old pods all serve.

    A pod is available when it has been ready for `minReadySeconds`. Old pods go at once, and one that is going counts
    no more, as in Kubernetes.

    Args:
        deployment: The Deployment, with its strategy.
        starts: Seconds until a new pod is ready; None if it never is.
        dies: Seconds that a new pod stays ready before it crashes and starts again; None if it stays.
        until: Seconds to look at.
    """
    spec = deployment["spec"]
    replicas, settle = spec.get("replicas", 1), spec.get("minReadySeconds", 0)
    recreate = (spec.get("strategy") or {}).get("type") == "Recreate"
    missing, extra = (replicas, 0) if recreate else limits(deployment)
    old: int = 0 if recreate else replicas
    born: list[int] = []
    fewest, most, progress, seen = replicas, replicas, 0, (-old, old, old)
    finished = reported = None
    serving: list[int] = []

    def up(age: int) -> int | None:
        """How long a pod of this age has been ready; None if it is not."""
        if starts is None or age < starts:
            return None
        if dies is None:
            return age - starts
        since = (age - starts) % (dies + starts)
        return since if since < dies else None

    for now in range(until):
        ready = [since for birth in born if (since := up(now - birth)) is not None]
        available = sum(since >= settle for since in ready)
        before, gone = len(born), 1
        while gone > 0:  # what goes makes room for what comes
            fresh = min(replicas - len(born), replicas + extra - old - len(born))
            born += [now] * max(0, fresh)
            most = max(most, old + len(born))
            gone = min(old, old + available - (replicas - missing))
            old -= max(0, gone)
        status = (-old, old + len(ready), old + available)
        if len(born) > before or any(new > was for new, was in zip(status, seen, strict=True)):
            progress = now
        seen = status
        serving.append(old + len(ready))
        fewest = min(fewest, serving[-1])
        if old == 0 and available == replicas and finished is None:
            finished = now
        if finished is None and reported is None and now - progress >= spec.get("progressDeadlineSeconds", 600):
            reported = now
    return Rollout(fewest, most, finished, reported, tuple(serving))
