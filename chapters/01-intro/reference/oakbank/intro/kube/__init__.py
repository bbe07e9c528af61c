"""Manifests examined without a cluster: what the API would refuse, who finds whom, and what would happen when.

A small model of Kubernetes for lessons and labs. `chapters/01-intro/tests/test_lab_deploy_to_kubernetes.py` compares
it with a real cluster.
"""

from oakbank.intro.kube.check import problems
from oakbank.intro.kube.cron import Run, fires, runs
from oakbank.intro.kube.probes import REFUSED, Life, live
from oakbank.intro.kube.quantity import fit, qos_class, quantity, requests_of
from oakbank.intro.kube.rollout import Rollout, limits, roll_out
from oakbank.intro.kube.wiring import container_of, endpoints, environment, matches, pods_of, selects, target

__all__ = [
    "REFUSED", "Life", "Rollout", "Run", "container_of", "endpoints", "environment", "fires", "fit", "limits", "live",
    "matches", "pods_of", "problems", "qos_class", "quantity", "requests_of", "roll_out", "runs", "selects", "target",
]  # fmt: skip
