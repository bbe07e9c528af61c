"""The arms of a release on Kubernetes: a Deployment and a Service each, and what splits applicants between them.

Deployments and Services are those of chapter 1 under another name. `front` splits by a hash of the applicant, as the
router does; a Gateway API route splits by weight, which is drawn for each request. What is missing for the rules of the
router: who adds up the counts of all pods.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from oakbank.deploy.assignment import MAX_SHARE, Arm
from oakbank.intro.cluster import MANIFESTS

NAME = "app.kubernetes.io/name"
MODULES = ("answered", "assignment", "front")
"""Of `oakbank.deploy`, which the front consists of; they need chapter 1's protocol and nothing else of ours."""


def arm(name: str, image: str, replicas: int = 1, version: str = "1") -> str:
    """Return the manifests of one arm: a Deployment and a Service that finds its pods and no other arm's.

    Args:
        name: Of the arm, such as scorer-canary.
        image: Of the release; the baseline has the champion's.
        replicas: How many pods; canary and baseline need the same number.
        version: What its answers call the model.

    Raises:
        ValueError: There would be no pod.
    """
    if replicas < 1:
        raise ValueError("an arm needs at least one pod")
    settings = {"OAKBANK_MODEL": "/app/model.json", "OAKBANK_VERSION": version}
    return _manifests(name, image, replicas, settings)


def _manifests(name: str, image: str, replicas: int, settings: Mapping[str, str], **container: Any) -> str:
    """Return chapter 1's Deployment and Service under another name.

    The settings stand in the pod template, where chapter 1 names a ConfigMap that kustomize makes: so a change of them
    is a release, and `kubectl rollout undo` takes it back.
    """
    deployment, service = (
        yaml.safe_load((MANIFESTS / "base" / f"{kind}.yaml").read_text()) for kind in ("deployment", "service")
    )
    deployment["spec"]["replicas"] = replicas
    deployment["spec"]["selector"]["matchLabels"][NAME] = name
    deployment["spec"]["template"]["metadata"]["labels"][NAME] = name
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    del only["envFrom"]
    only |= {"image": image, "env": [{"name": key, "value": value} for key, value in settings.items()], **container}
    service["spec"]["selector"][NAME] = name
    for manifest in (deployment, service):
        manifest["metadata"]["name"] = name
        manifest["metadata"]["labels"][NAME] = name
    return str(yaml.safe_dump_all([deployment, service], sort_keys=False))


def front(image: str, arms: Mapping[Arm, str], share: float, salt: str, replicas: int = 2) -> str:
    """Return the manifests of the router in front of the arms, `oakbank.deploy.front`, in chapter 1's image.

    The code comes in a ConfigMap: three modules that the image lacks.

    Args:
        image: Of chapter 1's service.
        arms: The name of each arm's Service.
        share: Of applicants in the canary, and as many in its baseline; 0: the champion answers everybody.
        salt: Of the hash; another one for each release.
        replicas: How many pods. They need not know of each other: a hash is the same everywhere.

    Raises:
        ValueError: The share is none.
    """
    if not 0 <= share <= MAX_SHARE:
        raise ValueError(f"a share is from 0 to {MAX_SHARE}, not {share!r}")
    here = Path(__file__).parent
    code = {f"{name}.py": (here / f"{name}.py").read_text(encoding="utf-8") for name in MODULES}
    settings = {"OAKBANK_SHARE": str(share), "OAKBANK_SALT": salt, "PYTHONPATH": "/packages:/app:/front"}
    settings |= {f"OAKBANK_{arm.upper()}": service for arm, service in arms.items()}
    command = ["python", "-m", "uvicorn", "oakbank.deploy.front:app", "--host=0.0.0.0", "--port=8000"]
    manifests = [*yaml.safe_load_all(_manifests("router", image, replicas, settings, command=command))]
    pod = manifests[0]["spec"]["template"]["spec"]
    digest = hashlib.sha256(json.dumps(code).encode()).hexdigest()[:10]
    named = {"name": f"router-code-{digest}"}  # new code is a new ConfigMap: a rollback finds the old one
    pod["volumes"].append({"name": "code", "configMap": named})
    pod["containers"][0]["volumeMounts"].append({"name": "code", "mountPath": "/front/oakbank/deploy"})
    configmap = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": named, "data": code}
    return str(yaml.safe_dump_all([configmap, *manifests], sort_keys=False))


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
