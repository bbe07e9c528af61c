"""For every test, in whatever folder: no telemetry, one thread a process (pytest runs one process a core).

Kernels start as new processes, unless a test is about warm ones: `course check` would leave a warm parent behind.
"""

import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest

from base.process import ONE_THREAD, tools_path
from base.quiet import quiet

if TYPE_CHECKING:
    import docker  # type: ignore[import-untyped]
    from kubernetes import client as kubernetes  # type: ignore[import-untyped]

collect_ignore_glob = ["chapters/*/reference/*"]  # projects of lessons have tests of their own
quiet()
os.environ.update(ONE_THREAD, WARM_KERNELS="off", PATH=tools_path())
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: what we start would not hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`course test --weekly` runs what the gate leaves out, too."""
    weekly = os.environ.get("COURSE_WEEKLY") == "1"  # what the workflow can hand through `.ci/run`
    parser.addoption("--weekly", action="store_true", default=weekly, help="also run what only the weekly run runs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the weekly tests out, and start the longest ones first: else one of them ends alone."""
    if not config.getoption("--weekly"):
        left_out = [item for item in items if item.get_closest_marker("weekly")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("weekly")]
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


# What tests borrow from the machine, imported only by those that do.


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
    from filelock import FileLock

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with FileLock(shared / "cluster.lock"):
        yield
