"""A container under its probes: when it gets traffic and when it is killed, second by second, without a cluster.

Source: Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes"; order and thresholds as in the
kubelet's `pkg/kubelet/prober/worker.go`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

REFUSED = 0
"""Answer of a process that does not listen yet."""

Answers = Callable[[str, float, float], int | None]
"""What the process answers: (path, seconds since its start, seconds since the pod's start) -> status; None hangs."""

Phases = tuple[float, float, float]
"""Where in its period the startup, the liveness and the readiness probe look first, each from 0 to 1."""

_KINDS = ("startupProbe", "livenessProbe", "readinessProbe")
_BACK_OFF = (0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)


@dataclass(frozen=True)
class Life:
    """What became of a container. Times are seconds since the pod's start.

    Attributes:
        killed: When the kubelet killed it, each time to start it again.
        ready: The spans in which it got traffic, (from, to).
    """

    killed: tuple[float, ...]
    ready: tuple[tuple[float, float], ...]

    def serves(self, second: float) -> bool:
        """Return whether it got traffic then."""
        return any(begin <= second < end for begin, end in self.ready)


class _Probe:
    """One probe of one container that runs: counts what it sees, and says when a threshold is reached."""

    def __init__(self, kind: str, container: Mapping[str, Any], born: float, phase: float) -> None:
        self.spec: Mapping[str, Any] = container[kind]
        self.container = container
        self.period: float = self.spec.get("periodSeconds") or 10
        self.timeout: float = self.spec.get("timeoutSeconds") or 1
        delay = self.spec.get("initialDelaySeconds") or 0
        self.next = born + phase * self.period
        while self.next < born + delay:
            self.next += self.period
        self.good = self.bad = 0

    def look(self, answers: Answers, now: float, born: float) -> tuple[bool, float]:
        """Return whether the process looked well, and when that was known. Sets the time of the next look."""
        status, done = self._ask(answers, now, born)
        well = status is not None and 200 <= status < 400
        self.good, self.bad = (self.good + 1, 0) if well else (0, self.bad + 1)
        self.next = max(now + self.period, done)
        return well, done

    def _ask(self, answers: Answers, now: float, born: float) -> tuple[int | None, float]:
        kind = next((word for word in ("httpGet", "tcpSocket") if word in self.spec), None)
        if kind is None:
            raise ValueError("only httpGet and tcpSocket are simulated here")
        ports = self.container.get("ports") or []
        if not any(self.spec[kind]["port"] in (one["containerPort"], one.get("name")) for one in ports):
            return REFUSED, now
        status = answers(self.spec[kind].get("path", "/"), now - born, now)
        if kind == "tcpSocket":
            return (REFUSED if status == REFUSED else 200), now
        return status, now + (self.timeout if status is None else 0)

    @property
    def passed(self) -> bool:
        return self.good >= (self.spec.get("successThreshold") or 1)

    @property
    def failed(self) -> bool:
        return self.bad >= (self.spec.get("failureThreshold") or 3)


def live(container: Mapping[str, Any], answers: Answers, until: float, phases: Phases = (0.0, 0.0, 0.0)) -> Life:
    """Return what becomes of a container whose process answers like this.

    The process is taken to listen on the ports that the container declares, and to end at once when it is told to. A
    container that is killed again soon waits 10, 20, 40 s and so on, as the kubelet's back-off does.

    Args:
        container: As in a manifest: `ports`, `startupProbe`, `readinessProbe`, `livenessProbe`.
        answers: What the process answers, and when.
        until: Seconds to look at.
        phases: Where in its period each probe looks first. The kubelet draws them at random.

    Raises:
        ValueError: A probe that is not simulated (`exec`, `grpc`).
    """
    killed: list[float] = []
    spans: list[tuple[float, float]] = []
    born = 0.0
    while born < until:
        died, spans_now = _one(container, answers, born, until, phases)
        spans += spans_now
        if died is None:
            break
        killed.append(died)
        born = died + _BACK_OFF[min(len(killed) - 1, len(_BACK_OFF) - 1)]
    return Life(tuple(killed), tuple(spans))


def _one(
    container: Mapping[str, Any], answers: Answers, born: float, until: float, phases: Phases
) -> tuple[float | None, list[tuple[float, float]]]:
    """Follow one start of the container: when it was killed (None: not), and the spans of traffic."""
    given = [(kind, phase) for kind, phase in zip(_KINDS, phases, strict=True) if container.get(kind)]
    probes = {kind: _Probe(kind, container, born, phase) for kind, phase in given}
    started = "startupProbe" not in probes
    since = born if started and "readinessProbe" not in probes else None
    spans: list[tuple[float, float]] = []
    while probes:
        kind = min(probes, key=lambda one: probes[one].next)
        probe, now = probes[kind], probes[kind].next
        if now >= until:
            break
        if kind != "startupProbe" and not started:
            probe.next += probe.period
            continue
        _, done = probe.look(answers, now, born)
        if kind == "startupProbe" and probe.passed:
            started = True
            del probes[kind]
            since = done if "readinessProbe" not in probes else None
        elif kind == "readinessProbe":
            if probe.passed and since is None:
                since = done
            elif probe.failed and since is not None:
                spans.append((since, done))
                since = None
        elif probe.failed:
            return done, [*spans, (since, done)] if since is not None else spans
    return None, [*spans, (since, until)] if since is not None else spans
