"""A Kubernetes cluster that the learner offers, and manifests checked without one.

A cluster is offered by being made for one machine (kind, minikube, Docker Desktop) or by OAKBANK_CLUSTER, which holds
the name of its context. Whatever else KUBECONFIG leads to may be somebody's production: it is not even asked.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import yaml
from kubernetes import client, config  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError

from oakbank.intro.watch import until

MANIFESTS = Path(__file__).parent / "manifests"
"""The service's manifests: `base`, and `production`, which adds what needs a newer and larger cluster."""

SECONDS_TO_ANSWER = 3
HOW_TO_GET_ONE = "with Docker running, `kind create cluster` makes one"
OFFER = "OAKBANK_CLUSTER"
_OF_ONE_MACHINE = re.compile(r"kind-.+|minikube|docker-desktop")


class NotOfferedError(RuntimeError):
    """The cluster that KUBECONFIG leads to was not offered to the course; one sentence, with what to do."""


def cluster(say: Callable[[str], object] = print) -> client.ApiClient | None:
    """Return a client of the cluster that KUBECONFIG leads to, or None after saying in a sentence why there is none.

    Args:
        say: What to do with the sentence.
    """
    if shutil.which("kubectl") is None:
        say(f"There is no kubectl here, the command that talks to clusters: install it, then {HOW_TO_GET_ONE}.")
        return None
    settings = client.Configuration()
    settings.retries = 0
    try:
        context = current_context()
        config.load_kube_config(os.environ.get("KUBECONFIG"), context, client_configuration=settings)
    except config.ConfigException:
        say(f"No Kubernetes cluster is set up here: {HOW_TO_GET_ONE}.")
        return None
    except NotOfferedError as reason:
        say(str(reason))
        return None
    api = client.ApiClient(settings)
    try:
        client.VersionApi(api).get_code(_request_timeout=SECONDS_TO_ANSWER)
    except (HTTPError, client.ApiException):
        api.close()
        say(f"The Kubernetes cluster that is set up here does not answer: start it again, or {HOW_TO_GET_ONE}.")
        return None
    return api


def current_context() -> str:
    """Return the name of the context that KUBECONFIG has chosen.

    Raises:
        kubernetes.config.ConfigException: There is none.
        NotOfferedError: Nobody offered its cluster.
    """
    _, active = config.list_kube_config_contexts(os.environ.get("KUBECONFIG"))
    name = str(active["name"])
    if not _OF_ONE_MACHINE.fullmatch(name) and os.environ.get(OFFER) != name:
        raise NotOfferedError(
            f"Your kubectl is set to the cluster {name!r}, which the course leaves alone: choose another with "
            f"`kubectl config use-context` ({HOW_TO_GET_ONE}), or offer this one with {OFFER}={name}."
        )
    return name


def kubectl(*arguments: str, stdin: str | None = None, check: bool = True) -> str:
    """Run kubectl on the cluster that is offered and return what it said, errors included.

    Args:
        arguments: As typed.
        stdin: Text for `-f -`.
        check: Raise if it fails.

    Raises:
        RuntimeError: It failed; the message is what it said.
        NotOfferedError: KUBECONFIG leads to a cluster that nobody offered.
    """
    command = ["kubectl", "--context", current_context(), *arguments]
    ran = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)  # noqa: S603
    if check and ran.returncode != 0:
        raise RuntimeError(f"kubectl {shlex.join(arguments)}: {(ran.stderr or ran.stdout).strip()}")
    return ran.stdout + ran.stderr


def versions(api: client.ApiClient) -> dict[str, str]:
    """Return the versions of kubectl and of a cluster."""
    told = json.loads(kubectl("version", "--client", "--output", "json"))["clientVersion"]["gitVersion"]
    server = client.VersionApi(api).get_code().git_version
    return {"kubectl": told.removeprefix("v"), "Kubernetes": server.removeprefix("v")}


def settle_in(namespace: str, file: Path) -> None:
    """Have kubectl, as typed in this process, use the cluster that is offered and a namespace; your own settings stay.

    Args:
        namespace: What kubectl uses where no `--namespace` is given.
        file: Where the settings go that KUBECONFIG names from here on.
    """
    settings = yaml.safe_load(kubectl("config", "view", "--minify", "--flatten", "--raw"))
    settings["contexts"][0]["context"]["namespace"] = namespace
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    file.chmod(0o600)
    os.environ["KUBECONFIG"] = str(file)


@contextmanager
def namespace(api: client.ApiClient, name: str) -> Iterator[str]:
    """Give a fresh namespace; delete it afterwards with all that is in it."""
    fresh_namespace(api, name)
    try:
        yield name
    finally:
        delete_namespace(api, name)


def fresh_namespace(api: client.ApiClient, name: str) -> None:
    """Make an empty namespace in which pods can start; an old one of that name goes first."""
    core = client.CoreV1Api(api)
    delete_namespace(api, name)
    core.create_namespace({"metadata": {"name": name}})
    until(lambda: core.list_namespaced_service_account(name).items, 30, "the namespace has no service account")


def delete_namespace(api: client.ApiClient, name: str, seconds: float = 180) -> None:
    """Delete a namespace and wait until it is gone; fine if there is none."""
    core = client.CoreV1Api(api)

    def gone() -> bool:
        try:
            core.delete_namespace(name, grace_period_seconds=0)
        except client.ApiException as error:
            if error.status == 409:  # on its way
                return False
            if error.status != 404:
                raise
            return True
        return False

    until(gone, seconds, f"namespace {name} does not go away")


def load_image(tag: str) -> None:
    """Hand an image of the local engine to the cluster's nodes, so that nobody needs a registry.

    Raises:
        RuntimeError: No way is known for this cluster, or it failed.
    """
    command = _loader(current_context())
    if command is None:
        return
    ran = subprocess.run([*command, tag], capture_output=True, text=True, check=False)  # noqa: S603
    if ran.returncode != 0:
        raise RuntimeError(f"{shlex.join(command)} {tag}: {(ran.stderr or ran.stdout).strip()}")


def _loader(context: str) -> list[str] | None:
    """Return the command that takes a tag, or None where the nodes share the engine's images."""
    if loader := os.environ.get("OAKBANK_IMAGE_LOADER"):
        return shlex.split(loader)
    if context.startswith("kind-"):
        return ["kind", "load", "docker-image", "--name", context.removeprefix("kind-")]
    if context == "minikube":
        return ["minikube", "image", "load"]
    if context == "docker-desktop":
        return None
    raise RuntimeError(
        f"no way to hand an image to cluster {context!r}: push it to a registry that its nodes can pull from, "
        "or set OAKBANK_IMAGE_LOADER to a command that takes the tag"
    )


def validate(text: str, version: str | None = None) -> list[str]:
    """Return what the API schemas have against manifests: at most one problem for each document, none if all are fine.

    Args:
        text: YAML, one or more documents.
        version: Of Kubernetes, as "1.31"; None: the newest that `kubernetes-validate` knows.
    """
    version = version or kubernetes_validate.latest_version()
    problems = []
    try:
        documents = [document for document in yaml.safe_load_all(text) if document is not None]
    except yaml.YAMLError as error:
        return [f"no YAML: {error}"]
    for document in documents:
        if not isinstance(document, dict) or not {"apiVersion", "kind"} <= document.keys():
            problems.append("a manifest needs apiVersion and kind")
            continue
        name = f"{document['kind']}/{(document.get('metadata') or {}).get('name', '?')}"
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            problems.append(f"{name}: {'.'.join(map(str, error.path)) or 'top level'}: {error.message}")
        except kubernetes_validate.SchemaNotFoundError:
            problems.append(f"{name}: Kubernetes {version} has no {document['kind']} in {document['apiVersion']}")
    return problems


def ask(
    api: client.ApiClient, namespace: str, path: str, body: object = None, service: str = "scorer"
) -> tuple[int, Any]:
    """Send a request to a service through the API server, which picks a ready pod for it.

    Args:
        api: The cluster.
        namespace: Of the service.
        path: On the service, as "/score".
        body: To POST as JSON; without it the request is a GET.
        service: Its name.

    Returns:
        Status and answer. Where no pod is ready, 503 and what the API server says.
    """
    url = f"/api/v1/namespaces/{namespace}/services/{service}:http/proxy{path}"
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    try:
        answer, status, _ = api.call_api(
            url,
            "GET" if body is None else "POST",
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
            response_type="object",
            _request_timeout=SECONDS_TO_ANSWER,
        )
    except client.ApiException as error:
        return error.status, error.body
    return status, answer
