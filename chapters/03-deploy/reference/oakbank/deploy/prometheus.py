"""A Prometheus for an hour: started on a free port, in a folder that goes; and services beside it for it to watch."""

import atexit
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import uvicorn
import yaml

from oakbank.deploy.ports import free_port
from oakbank.world.files import write_text

RULES = Path(__file__).with_name("rules") / "bank.rules.yml"
"""Oakbank's recording and alert rules; their tests, for `promtool test rules`, stand beside them."""
SCRAPE_SECONDS = 1


class PrometheusError(RuntimeError):
    """Prometheus did not start, or did not answer; the message says what it said."""


def versions() -> dict[str, str] | None:
    """Return the version of the Prometheus on PATH, as `course.lesson.recorded` wants it; None: there is none."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        print("No Prometheus on this machine (on Debian and Ubuntu: apt install prometheus; on a Mac: brew).")
        return None
    done = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=True)  # noqa: S607
    return {"Prometheus": (done.stdout + done.stderr).split()[2].partition("+")[0]}


def serve(app: Any, seconds: float = 20) -> str:
    """Serve an app from a thread of this process until it ends; return where, such as `127.0.0.1:45123`."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False))
    threading.Thread(target=server.run, daemon=True).start()
    _wait(lambda: server.started, seconds, "the service did not start")
    return f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


def configuration(targets: dict[str, str], rules: Path = RULES) -> str:
    """Return a `prometheus.yml` that reads each target every second, under the name of its job.

    Args:
        targets: Where each is, `host:port`, by job.
        rules: File of the recording and alert rules; a relative path starts at the folder of the `prometheus.yml`.
    """
    jobs = [{"job_name": job, "static_configs": [{"targets": [place]}]} for job, place in targets.items()]
    every = f"{SCRAPE_SECONDS}s"
    settings = {"global": {"scrape_interval": every, "evaluation_interval": every}, "rule_files": [str(rules)]}
    return yaml.safe_dump({**settings, "scrape_configs": jobs}, sort_keys=False)


class Prometheus:
    """The server, over a `prometheus.yml`; it ends with this process, or by `stop`.

    Args:
        config: The file; the data goes to the folder `tsdb` beside it.

    Raises:
        PrometheusError: It refuses the file, or did not become ready.
    """

    def __init__(self, config: Path, seconds: float = 60) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._log = config.with_name("prometheus.log")
        flags = [f"--config.file={config}", f"--storage.tsdb.path={config.with_name('tsdb')}"]
        flags += [f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"]
        with self._log.open("w") as output:
            self._process = subprocess.Popen(["prometheus", *flags], stdout=output, stderr=output)  # noqa: S603, S607
        atexit.register(self.stop)
        try:
            _wait(self._is_ready, seconds, "Prometheus was not ready")
        except PrometheusError as error:
            self.stop()
            raise PrometheusError(f"{error}: {self._log.read_text()[-500:]}") from None

    def _is_ready(self) -> bool:
        if self._process.poll() is not None:
            raise PrometheusError("Prometheus ended")
        try:
            return httpx.get(f"{self.url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """End the server; called again, nothing happens."""
        if self._process.poll() is None:
            self._process.terminate()
            self._process.wait(20)

    def wait_for(self, expression: str, seconds: float = 30) -> None:
        """Wait until a PromQL expression gives something, such as `up == 1`."""
        _wait(lambda: bool(self.ask(expression)), seconds, f"nothing came of `{expression}`")

    def wait_for_scrapes(self, number: int = 2) -> None:
        """Wait until each target was read that often from now on, and the rules were evaluated over it."""
        wanted = time.time() + (number - 1) * SCRAPE_SECONDS
        self.wait_for(f"count(timestamp(up) > {wanted:.3f} and up == 1) == count(up)")
        time.sleep(2 * SCRAPE_SECONDS)

    def ask(self, expression: str) -> list[Any]:
        """Return what a PromQL expression gives now: a dict a series, its labels in `metric`, time and text in `value`.

        Raises:
            PrometheusError: It is no PromQL.
        """
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=30).json()
        if answer["status"] != "success":
            raise PrometheusError(f"{answer['error']}: {expression}")
        found: list[Any] = answer["data"]["result"]
        return found


def watch(targets: dict[str, str], folder: Path) -> Prometheus:
    """Write `prometheus.yml` and the rules with their tests into a folder, and start a server that reads the targets.

    Args:
        targets: Where each is, `host:port`, by job.
        folder: An empty one.
    """
    for file in RULES.parent.glob("*.yml"):
        shutil.copy(file, folder)
    config = folder / "prometheus.yml"
    write_text(config, configuration(targets, Path(RULES.name)))
    server = Prometheus(config)
    server.wait_for(f"count(up == 1) == {len(targets)}")
    return server


def _wait(done: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not done():
        if time.monotonic() > until:
            raise PrometheusError(f"{what} within {seconds:g} s")
        time.sleep(0.05)
