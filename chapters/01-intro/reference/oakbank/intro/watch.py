"""Wait until a cluster has done what it was told: `apply` returns when a wish is written down, not when it is true."""

import time
from collections.abc import Callable
from typing import TypeVar

from kubernetes import client  # type: ignore[import-untyped]
from kubernetes.client import V1Pod as Pod  # type: ignore[import-untyped]

T = TypeVar("T")


def until(condition: Callable[[], T | None], seconds: float, otherwise: str) -> T:
    """Ask again, four times a second, until a condition holds, and return what it gave.

    Raises:
        TimeoutError: It did not hold in time; the message is `otherwise`.
    """
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{otherwise} (waited {seconds:.0f} s)")
        time.sleep(0.25)
    return value


def pods(api: client.ApiClient, namespace: str, app: str) -> list[Pod]:
    """Return the pods of an app that are not on their way out, oldest first."""
    found = client.CoreV1Api(api).list_namespaced_pod(namespace, label_selector=f"app.kubernetes.io/name={app}").items
    alive = [pod for pod in found if pod.metadata.deletion_timestamp is None]
    return sorted(alive, key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))


def is_ready(pod: Pod) -> bool:
    """Return whether a pod may get traffic."""
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or [])


def wait_for_pods(api: client.ApiClient, namespace: str, app: str, count: int, seconds: float = 60) -> list[Pod]:
    """Wait until an app has exactly so many pods, all ready, and return them."""

    def there() -> list[Pod] | None:
        found = pods(api, namespace, app)
        return found if len(found) == count and all(map(is_ready, found)) else None

    return until(there, seconds, f"{app} has no {count} ready pods")


def wait_for_job(api: client.ApiClient, namespace: str, name: str, seconds: float = 60) -> str:
    """Wait until a Job is over and return "Complete" or "Failed"."""

    def ended() -> str:
        status = client.BatchV1Api(api).read_namespaced_job_status(name, namespace).status
        over = [one.type for one in status.conditions or [] if one.status == "True"]
        return next((kind for kind in over if kind in ("Complete", "Failed")), "")

    return until(ended, seconds, f"job {name} does not end")


def wait_for_end(api: client.ApiClient, namespace: str, pod: str, seconds: float = 60) -> tuple[str, int]:
    """Wait until the container of a pod has ended; return the reason that Kubernetes gives, and the exit code."""

    def ended() -> client.V1ContainerStateTerminated | None:
        found = client.CoreV1Api(api).read_namespaced_pod(pod, namespace).status.container_statuses or []
        return found[0].state.terminated if found else None

    state = until(ended, seconds, f"pod {pod} does not end")
    return state.reason, state.exit_code


def wait_for_restart(api: client.ApiClient, namespace: str, pod: str, count: int = 1, seconds: float = 60) -> None:
    """Wait until the container of a pod has been started again so many times, and is ready."""

    def back() -> bool:
        found = client.CoreV1Api(api).read_namespaced_pod(pod, namespace)
        return found.status.container_statuses[0].restart_count == count and is_ready(found)

    until(back, seconds, f"pod {pod} was not restarted {count} times")


def rolled_out(api: client.ApiClient, namespace: str, name: str) -> bool:
    """Return whether a Deployment has only pods of its latest template, all of them available."""
    found = client.AppsV1Api(api).read_namespaced_deployment(name, namespace)
    status, wanted = found.status, found.spec.replicas
    seen = status.observed_generation == found.metadata.generation
    return bool(seen and status.replicas == status.updated_replicas == status.available_replicas == wanted)
