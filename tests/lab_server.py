"""A JupyterLab that a test started, and how to talk to it."""

import contextlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 240.0  # seconds, on a busy machine; usually it takes ten


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection, so that a test sees it."""

    def redirect_request(self, *arguments: Any) -> None:
        return None


DIRECT = urllib.request.build_opener(_Stay)


class Lab:
    """A running JupyterLab."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Ask for a page with the learner's token; returns status and text."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"token {self.token}", **headers})
        try:
            with DIRECT.open(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def leads_to(self, path: str) -> str | None:
        """Ask for a page that redirects; returns where to."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"token {self.token}"})
        with pytest.raises(urllib.error.HTTPError) as redirected:
            DIRECT.open(request, timeout=PATIENCE)
        return redirected.value.headers["Location"]

    def send(self, method: str, path: str, body: Any) -> tuple[int, str]:
        """Send JSON with the learner's token; returns status and text."""
        head = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), head, method=method)
        with DIRECT.open(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()

    def json(self, path: str) -> Any:
        """Ask for JSON."""
        return json.loads(self.get(path)[1])


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port), 1):
        return True
    return False


def wait_for_lab(process: "subprocess.Popen[bytes]", runtime: Path) -> dict[str, Any]:
    """Wait until JupyterLab listens; returns what it says of itself in `JUPYTER_RUNTIME_DIR`. Its log is `log.txt`."""
    end = time.monotonic() + PATIENCE
    while not (found := list(runtime.glob("jpserver-*.json"))):
        assert process.poll() is None, (runtime / "log.txt").read_text(encoding="utf-8")
        assert time.monotonic() < end, "JupyterLab did not start"
        time.sleep(0.2)
    server: dict[str, Any] = json.loads(found[0].read_text(encoding="utf-8"))
    while not _listens(server["port"]):
        assert time.monotonic() < end, "JupyterLab does not listen"
        time.sleep(0.1)
    return server
