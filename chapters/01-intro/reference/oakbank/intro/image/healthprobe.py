"""Run a container's health command against a small service, where no engine can: same question, same answers.

The command is run as an image of the `python` family would run it: `python` and a shell are there, `curl` and `wget`
are not, and of Python's packages only the standard library. Port 8000 of the service is another, free one here.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from oakbank.intro.image.dockerfile import DockerfileError

PORT = 8000
STATES = ("ready", "no model", "gone")
"""The service has its model and answers; it lives and has no model; nothing listens."""
_PATIENCE = 20  # seconds
_PYTHON = re.compile(r"^(/[\w./-]*/)?python[\d.]*$")


def probe(test: Sequence[str] | None, env: Mapping[str, str]) -> dict[str, bool] | None:
    """Return for each of `STATES` whether a health test says that all is well; None without a test.

    Args:
        test: As an engine stores it: `CMD` and words, or `CMD-SHELL` and one text.
        env: The variables of the image.

    Raises:
        DockerfileError: The test needs a shell and this machine has none.
    """
    if not test:
        return None
    found = {}
    for state in STATES:
        with _service(state) as port, tempfile.TemporaryDirectory() as folder:
            found[state] = _well(list(test), env, port, Path(folder))
    return found


@contextmanager
def _service(state: str) -> Iterator[int]:
    """Serve `/healthz` and `/readyz` in a state on a free port of this machine, and yield the port."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            ready = 200 if state == "ready" else 503
            status = {"/healthz": 200, "/readyz": ready, "/docs": 200, "/openapi.json": 200}.get(path, 404)
            status = 405 if path == "/score" else status
            body = b'{"status": "ok"}' if status == 200 else b'{"detail": "not now"}'
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    port: int = server.server_address[1]
    if state == "gone":
        server.server_close()
        yield port
        return
    # A short interval: `shutdown` waits for its end.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _well(test: list[str], env: Mapping[str, str], port: int, folder: Path) -> bool:
    shell = shutil.which("sh")
    if test[0] == "CMD-SHELL" and not shell:
        raise DockerfileError(
            "this machine has no shell to try the health check: write it as a JSON list, or use an engine"
        )
    argv = [str(shell), "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]
    argv = [re.sub(rf"(?<!\d){PORT}(?!\d)", str(port), word) for word in argv]
    if test[0] == "CMD-SHELL":
        argv[2] = re.sub(r"/[\w./-]*/(python[\d.]*)(?=\s)", r"\1", argv[2])
    elif _PYTHON.match(argv[0]):
        argv[:1] = [sys.executable, "-I", "-S"]
    bins = _bin(folder)
    own = {name: re.sub(rf"(?<!\d){PORT}(?!\d)", str(port), value) for name, value in env.items()}
    try:
        done = subprocess.run(  # noqa: S603 - the command is the learner's own, and runs where their code runs
            argv, env={**own, "PATH": str(bins)}, cwd=folder, timeout=_PATIENCE, capture_output=True
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _bin(folder: Path) -> Path:
    """Make a folder of programs with what the base image has, and return it."""
    bins = folder / "bin"
    bins.mkdir()
    for name in ("sh", "true", "false", "test", "cat", "echo", "grep", "sleep", "kill", "ls"):
        if there := shutil.which(name):
            (bins / name).symlink_to(there)
    for name in ("python", "python3", f"python3.{sys.version_info.minor}"):
        (bins / name).write_text(f'#!{shutil.which("sh")}\nexec "{sys.executable}" -I -S "$@"\n')
        (bins / name).chmod(0o755)
    return bins
