"""The arms of a release on Kubernetes: a Deployment and a Service each, and a Gateway API route that splits by weight.

Deployments and Services are those of chapter 1 under another name. What is missing for the rules of the router: who
adds up the counts of all pods, and a hash of the applicant in front (a weight is drawn for each request).
"""

from collections.abc import Mapping
from typing import Any

import yaml

from oakbank.intro.cluster import MANIFESTS

NAME = "app.kubernetes.io/name"


def arm(name: str, image: str, replicas: int = 1) -> str:
    """Return the manifests of one arm: a Deployment and a Service that finds its pods and no other arm's.

    Args:
        name: Of the arm, such as scorer-canary.
        image: Of the release; the baseline has the champion's.
        replicas: How many pods; canary and baseline need the same number.

    Raises:
        ValueError: There would be no pod.
    """
    if replicas < 1:
        raise ValueError("an arm needs at least one pod")
    deployment, service = (
        yaml.safe_load((MANIFESTS / "base" / f"{kind}.yaml").read_text()) for kind in ("deployment", "service")
    )
    deployment["spec"]["replicas"] = replicas
    deployment["spec"]["selector"]["matchLabels"][NAME] = name
    deployment["spec"]["template"]["metadata"]["labels"][NAME] = name
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = image
    service["spec"]["selector"][NAME] = name
    for manifest in (deployment, service):
        manifest["metadata"]["name"] = name
        manifest["metadata"]["labels"][NAME] = name
    return str(yaml.safe_dump_all([deployment, service], sort_keys=False))


def route(weights: Mapping[str, int], gateway: str = "oakbank") -> str:
    """Return an HTTPRoute that splits requests over Services, as the Gateway API's guide to traffic splitting has it.

    Args:
        weights: Relative share of each Service.
        gateway: Name of the Gateway.

    Raises:
        ValueError: A weight is negative, or all are 0.
    """
    if min(weights.values(), default=-1) < 0 or not any(weights.values()):
        raise ValueError("weights are whole numbers from 0, and one at least is above 0")
    backends = [{"name": name, "port": 80, "weight": weight} for name, weight in weights.items()]
    manifest: dict[str, Any] = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "scorer"},
        "spec": {"parentRefs": [{"name": gateway}], "rules": [{"backendRefs": backends}]},
    }
    return str(yaml.safe_dump(manifest, sort_keys=False))
