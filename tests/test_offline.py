"""The network cut off: loopback works inside, nothing else does, and a lesson that reaches out fails the run."""

import subprocess
import sys
from pathlib import Path

import pytest

from base import offline
from base.offline import offline_command, why_not
from tests.small_tree import lesson

needs_namespaces = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

INSIDE = """
import errno, socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), timeout=5).close()
print("loopback works")
for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
    try:
        with socket.socket(socket.AF_INET, kind) as outside:
            outside.settimeout(5)
            outside.connect(("192.0.2.1", 80))
    except OSError as error:
        print(errno.errorcode[error.errno])
from base.offline import has_network
print(has_network())
"""


def inside(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = offline_command([sys.executable, *arguments])
    assert command is not None
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@needs_namespaces
def test_inside_there_is_only_loopback() -> None:
    done = inside("-c", INSIDE)
    assert done.stdout.split("\n") == ["loopback works", "ENETUNREACH", "ENETUNREACH", "False", ""], done.stderr


@needs_namespaces
def test_exit_code_and_arguments_pass_through() -> None:
    done = inside("-c", "import sys; print(sys.argv[1:]); sys.exit(7)", "--", "a b", "--flag")
    assert (done.returncode, done.stdout) == (7, "['--', 'a b', '--flag']\n")


@needs_namespaces
def test_a_lesson_that_reaches_for_the_network_fails_the_run(tmp_path: Path) -> None:
    lesson(tmp_path, "01-a/01-honest", "import socket; socket.create_server(('127.0.0.1', 0)).close()")
    lesson(tmp_path, "01-a/02-caller", "import socket\nsocket.create_connection(('192.0.2.1', 80), timeout=5)")
    command = [sys.executable, "-m", "course.cli", "--root", str(tmp_path), "run", "--offline", "--no-flight"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stderr
    assert "network cut off" in done.stdout
    assert "01-a/02-caller: failed in cell 2" in done.stdout
    assert "Network is unreachable" in done.stdout
    assert "1 of 2 ran as they should" in done.stdout


def test_a_machine_that_does_not_allow_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare: planted refusal' >&2\nexit 1\n", encoding="utf-8")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    offline._probe.cache_clear()
    try:
        assert offline_command(["true"]) is None
        assert "planted refusal" in str(why_not())
        refusing.unlink()
        offline._probe.cache_clear()
        assert "util-linux" in str(why_not())
    finally:
        monkeypatch.undo()
        offline._probe.cache_clear()


def test_elsewhere_than_linux_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    offline._probe.cache_clear()
    try:
        assert offline_command(["true"]) is None
        assert "needs Linux" in str(why_not())
    finally:
        monkeypatch.undo()
        offline._probe.cache_clear()


def test_without_a_command_it_explains_itself() -> None:
    for arguments in ([], ["--"], ["true"]):
        done = subprocess.run([sys.executable, "-m", "base.offline", *arguments], capture_output=True, text=True)
        assert done.returncode == 1
        assert "usage:" in done.stderr
