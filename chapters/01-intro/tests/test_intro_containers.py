"""The service's image on a real engine: what it holds, what it may do, how it lives and ends."""

import hashlib
import io
import json
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import docker  # type: ignore[import-untyped]
import httpx
import pytest
from docker.errors import BuildError  # type: ignore[import-untyped]
from docker.models.containers import Container  # type: ignore[import-untyped]
from docker.models.images import Image  # type: ignore[import-untyped]

from authoring.repository import ROOT
from oakbank.intro import containers, scorecard, wheelhouse
from oakbank.world import FEATURES, World

LARGEST = 25_000_000
"""Bytes that the service may add to its base; 17 MB were measured."""

SERVED = {"ports": {"8000/tcp": ("127.0.0.1", None)}}


@pytest.fixture(scope="module")
def label(engine: docker.DockerClient) -> Iterator[dict[str, str]]:
    """A label of this run's own; what carries it is gone when the tests are."""
    mark = {"org.oakbank.test": uuid4().hex}
    yield mark
    wanted = {"label": f"org.oakbank.test={mark['org.oakbank.test']}"}
    for container in engine.containers.list(all=True, filters=wanted):
        container.remove(force=True, v=True)
    for image in engine.images.list(filters=wanted):
        engine.images.remove(image.id, force=True, noprune=True)


@pytest.fixture(scope="module")
def image(engine: docker.DockerClient, label: dict[str, str]) -> Image:
    return containers.build_service_image(engine, f"oakbank/test:{label['org.oakbank.test']}", "1", label)


@pytest.fixture(scope="module")
def run(engine: docker.DockerClient, image: Image, label: dict[str, str]) -> Iterator[Callable[..., Container]]:
    """Start a container of the image; all are removed at the end."""
    started: list[Container] = []

    def start(command: list[str] | None = None, **options: Any) -> Container:
        container = engine.containers.run(options.pop("image", image), command, detach=True, labels=label, **options)
        started.append(container)
        return container

    yield start
    for container in started:
        container.remove(force=True, v=True)


def ready(container: Container) -> httpx.Client:
    """Return a client of the service in a container, as soon as it has its model."""
    client = httpx.Client(base_url=containers.address(container), timeout=10)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if client.get("/readyz").status_code == 200:
                return client
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(container.logs().decode())


def build(engine: docker.DockerClient, context: Path, label: dict[str, str]) -> Image:
    """Build a context that a test has changed; the image has no name."""
    image, _ = engine.images.build(path=str(context), labels=label, network_mode="none", rm=True, forcerm=True)
    return image


@pytest.fixture
def context(engine: docker.DockerClient, tmp_path: Path) -> Path:
    """A build folder for the test to spoil."""
    containers.write_context(tmp_path / "context", engine.version()["Arch"])
    return tmp_path / "context"


@pytest.fixture(scope="module")
def served(run: Callable[..., Container]) -> Container:
    """The service as one would run it: nothing to write to, no rights, little memory."""
    return run(read_only=True, cap_drop=["ALL"], security_opt=["no-new-privileges"], mem_limit="128m", **SERVED)


@pytest.mark.engine
def test_it_scores_as_the_model_does_outside(served: Container) -> None:
    client = ready(served)
    rows = json.loads(World(seed=11).applications(0)[list(FEATURES)].head(50).to_json(orient="records"))
    for row in rows:
        answer = client.post("/score", json=row).json()
        assert answer["model_version"] == "1"
        assert answer["default_probability"] == pytest.approx(
            scorecard.probability(containers.service_model(), row), abs=1e-12
        )


@pytest.mark.engine
def test_it_turns_healthy(served: Container) -> None:
    state = containers.wait_until(served, 60, health="healthy")
    assert state["Running"]


@pytest.mark.engine
def test_without_its_model_it_turns_unhealthy(run: Callable[..., Container]) -> None:
    """The health check can fail: the process lives, and is of no use."""
    second = 1_000_000_000  # the engine counts in nanoseconds; nothing that fails in the first ten counts
    check = {"interval": second, "timeout": 5 * second, "start_period": 10 * second, "retries": 2}
    container = run(environment={"OAKBANK_MODEL": "/nowhere.json"}, healthcheck=check)
    state = containers.wait_until(container, 60, health="unhealthy")
    assert state["Running"]
    assert b"no model" in container.logs()
    assert "503" in state["Health"]["Log"][-1]["Output"]


@pytest.mark.engine
def test_it_can_be_asked_without_a_port(run: Callable[..., Container]) -> None:
    container = run(network_mode="none")
    containers.wait_until(container, 60, health="healthy")
    row = json.loads(World(seed=11).applications(0)[list(FEATURES)].head(1).to_json(orient="records"))[0]
    expected = pytest.approx(scorecard.probability(containers.service_model(), row), abs=1e-12)
    assert containers.ask(container, "/score", row)["default_probability"] == expected
    assert containers.ask(container, "/readyz")["status"] == "ready"
    with pytest.raises(RuntimeError, match=r"^/score: .*422"):
        containers.ask(container, "/score", {**row, "age": 3})


@pytest.mark.engine
def test_it_is_nobody_in_particular(served: Container) -> None:
    """No root, no right that root would have, and the kernel says so, not only the Dockerfile."""
    ready(served)
    status = dict(line.split(":\t", 1) for line in served.exec_run("cat /proc/1/status").output.decode().splitlines())
    assert status["Uid"].split() == ["10001"] * 4
    assert int(status["CapEff"], 16) == 0
    assert served.exec_run("touch /app/new").exit_code != 0


@pytest.mark.engine
def test_root_of_the_base_would_have_been_seen(run: Callable[..., Container]) -> None:
    container = run(["python", "-c", "import os; print(os.getuid())"], user="0")
    container.wait()
    assert container.logs() == b"0\n"


@pytest.mark.engine
def test_it_adds_little_to_its_base(engine: docker.DockerClient, image: Image) -> None:
    added = image.attrs["Size"] - engine.images.get(containers.BASE).attrs["Size"]
    assert 1_000_000 < added < LARGEST


@pytest.mark.engine
def test_the_wheels_stay_behind(run: Callable[..., Container]) -> None:
    """And nothing of the trainer comes along."""
    container = run(["python", "-c", "import os; print(sorted(os.listdir('/packages')), os.path.exists('/build'))"])
    container.wait()
    said = container.logs().decode()
    assert "fastapi" in said
    assert said.rstrip().endswith("False")
    assert not {"sklearn", "numpy", "pandas"} & set(said.replace("'", "").strip("[]").split(", "))


@pytest.mark.engine
def test_only_what_is_named_is_sent_to_the_engine(
    engine: docker.DockerClient, context: Path, label: dict[str, str]
) -> None:
    (context / "customers.csv").write_text("name,income\n", encoding="utf-8")
    (context / "oakbank" / "intro" / ".env").write_text("PASSWORD=1\n", encoding="utf-8")
    with (context / "Dockerfile").open("a", encoding="utf-8") as file:
        file.write("COPY . /sent\n")
    image = build(engine, context, label)
    listing = engine.containers.run(image, ["find", "/sent", "-type", "f"], remove=True).decode().split()
    names = {Path(name).name for name in listing if not name.endswith(".whl")}
    assert names == {"requirements.txt", "model.json", "protocol.py", "scorecard.py", "service.py"}
    (context / ".dockerignore").unlink()
    careless = build(engine, context, label)
    assert b"/sent/customers.csv" in engine.containers.run(careless, ["find", "/sent", "-type", "f"], remove=True)


def packages_layer(image: Image) -> tuple[str, ...]:
    """Return the layers up to the one with the packages, which come after the base and the working folder."""
    layers: list[str] = image.attrs["RootFS"]["Layers"]
    return tuple(layers[:-2])  # the model and the code come last


@pytest.mark.engine
def test_a_change_of_code_does_not_reinstall_the_packages(
    engine: docker.DockerClient, context: Path, label: dict[str, str]
) -> None:
    before = build(engine, context, label)
    with (context / "oakbank/intro/service.py").open("a", encoding="utf-8") as file:
        file.write(f"# {uuid4().hex}\n")
    after = build(engine, context, label)
    assert packages_layer(after) == packages_layer(before)
    assert after.attrs["RootFS"]["Layers"][-2] == before.attrs["RootFS"]["Layers"][-2]  # the model
    assert after.attrs["RootFS"]["Layers"][-1] != before.attrs["RootFS"]["Layers"][-1]  # the code


@pytest.mark.engine
def test_the_build_has_no_network(engine: docker.DockerClient, context: Path, label: dict[str, str]) -> None:
    """And so a step that wants one fails."""
    probe = "RUN python -c \"import socket; socket.create_connection(('192.0.2.1', 9), 5)\"\n"
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text(encoding="utf-8") + probe, encoding="utf-8")
    with pytest.raises(BuildError) as failed:
        build(engine, context, label)
    assert "unreachable" in "".join(line.get("stream", "") for line in failed.value.build_log)


@pytest.mark.engine
def test_a_wheel_that_was_tampered_with_is_refused(
    engine: docker.DockerClient, context: Path, label: dict[str, str]
) -> None:
    wheel = next((context / "wheelhouse").glob("h11-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    with pytest.raises(BuildError) as failed:
        build(engine, context, label)
    assert "DO NOT MATCH THE HASHES" in "".join(line.get("stream", "") for line in failed.value.build_log)


@pytest.mark.engine
def test_it_ends_on_sigterm(run: Callable[..., Container]) -> None:
    container = run(**SERVED)
    ready(container)
    start = time.monotonic()
    container.stop(timeout=30)
    seconds = time.monotonic() - start
    assert container.wait()["StatusCode"] == 0
    assert seconds < 10  # about one was measured; a signal that nobody takes would have cost thirty, and exit code 137
    assert b"Application shutdown complete" in container.logs()


@pytest.mark.engine
def test_it_is_killed_at_its_memory_limit(run: Callable[..., Container]) -> None:
    greedy = ["python", "-c", "kept = [bytearray(10_000_000) for _ in range(50)]"]
    container = run(greedy, mem_limit="64m", memswap_limit="64m")
    state = containers.wait_until(container, 60, status="exited")
    assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)
    modest = run(
        ["python", "-c", "kept = [bytearray(1_000_000) for _ in range(5)]"], mem_limit="64m", memswap_limit="64m"
    )
    state = containers.wait_until(modest, 60, status="exited")
    assert (state["OOMKilled"], state["ExitCode"]) == (False, 0)


@pytest.mark.engine
def test_the_log_is_what_it_prints(run: Callable[..., Container]) -> None:
    container = run(environment={"OAKBANK_VERSION": "11"}, **SERVED)
    ready(container)
    assert "model 11 loaded from /app/model.json" in container.logs().decode()


@pytest.mark.engine
def test_a_layers_name_is_the_hash_of_its_tar(image: Image) -> None:
    """What the lesson shows by hand."""
    import gzip
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(b"".join(image.save()))) as saved:

        def content(name: str) -> bytes:
            file = saved.extractfile(name)
            assert file is not None
            data = file.read()
            return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data

        layers = json.loads(content("manifest.json"))[0]["Layers"]
        hashes = [f"sha256:{hashlib.sha256(content(name)).hexdigest()}" for name in layers]
    assert hashes == image.attrs["RootFS"]["Layers"]


def test_no_engine_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    said: list[str] = []
    assert containers.engine(said.append) is None
    assert len(said) == 1
    assert said[0].startswith("No container engine answers here")


@pytest.mark.engine
def test_missing_packages_and_a_missing_base_are_said(
    engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[str] = []
    monkeypatch.setattr(containers, "BASE", "oakbank/no-such-base:1")
    assert containers.engine(said.append) is None
    monkeypatch.setenv("OAKBANK_WHEELHOUSE", str(tmp_path))
    assert containers.engine(said.append) is None
    assert ["docker pull oakbank/no-such-base:1" in said[0], "oakbank.intro.wheelhouse" in said[1]] == [True, True]


def test_the_requirements_are_the_locks() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    made = wheelhouse.locked(lock)
    assert wheelhouse.REQUIREMENTS.read_text(encoding="utf-8") == made, "run `python -m oakbank.intro.wheelhouse lock`"
    older = lock.replace('name = "h11"\nversion = "', 'name = "h11"\nversion = "0.')
    assert wheelhouse.locked(older) != made
    with pytest.raises(wheelhouse.WheelhouseError, match="no h11"):
        wheelhouse.locked(lock.replace('name = "h11"\nversion', 'name = "h12"\nversion'))


@pytest.mark.engine
def test_a_spoilt_wheelhouse_is_not_complete(
    engine: docker.DockerClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    machine = engine.version()["Arch"]
    full = wheelhouse.folder(machine)
    monkeypatch.setenv("OAKBANK_WHEELHOUSE", str(tmp_path))
    assert not wheelhouse.complete(machine)
    copy = shutil.copytree(full, wheelhouse.folder(machine))
    assert wheelhouse.complete(machine)
    wheel = next(copy.glob("h11-*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:-1])
    assert not wheelhouse.complete(machine)


def test_the_dockerfile_has_no_finding(tmp_path: Path) -> None:
    """Hadolint finds nothing; it would have found root."""
    hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts"))
    if hadolint is None:
        pytest.skip("hadolint has no wheel for this system")
    text = (wheelhouse.CONTAINER / "Dockerfile").read_text(encoding="utf-8")
    good = subprocess.run([hadolint, "-"], input=text, capture_output=True, text=True)
    assert (good.returncode, good.stdout) == (0, "")
    spoilt = text.replace("USER 10001:10001", "USER root")
    assert "DL3002" in subprocess.run([hadolint, "-"], input=spoilt, capture_output=True, text=True).stdout
