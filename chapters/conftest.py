"""What tests of all chapters borrow from the machine: a container engine, a Kubernetes cluster."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest
from filelock import FileLock

if TYPE_CHECKING:  # both take a second, and most tests borrow nothing
    import docker  # type: ignore[import-untyped]
    from kubernetes import client as kubernetes  # type: ignore[import-untyped]


def lacks(part: str, sentence: str) -> NoReturn:
    """Skip the test, or fail it where the machine has promised the part (`COURSE_NEEDS=engine,cluster` under CI)."""
    if os.environ.get("CI") == "true" and part in os.environ.get("COURSE_NEEDS", "").split(","):
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def engine() -> Iterator["docker.DockerClient"]:
    """A client of a container engine that can build the service's image."""
    from oakbank.intro import containers

    sentences: list[str] = []
    client = containers.engine(sentences.append)
    if client is None:
        lacks("engine", sentences[0])
    yield client
    client.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator["kubernetes.ApiClient"]:
    """A client of the cluster that KUBECONFIG leads to."""
    from oakbank.intro import cluster as clusters

    sentences: list[str] = []
    client = clusters.cluster(sentences.append)
    if client is None:
        lacks("cluster", sentences[0])
    yield client
    client.close()


@pytest.fixture(autouse=True)
def _one_at_a_time_on_the_cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """Tests on the cluster measure what it does and when: no two at once, whatever pytest's other workers do."""
    if request.node.get_closest_marker("cluster") is None:
        yield
        return
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with FileLock(shared / "cluster.lock"):
        yield
