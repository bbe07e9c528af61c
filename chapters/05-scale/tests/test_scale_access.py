"""Secrets are found where they stay, lent logins die, each forged token needs one omission, and roles hold."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hvac
import jwt
import psutil
import psycopg
import pytest
from fastapi.testclient import TestClient

from base.process import python
from course.lesson import own_git
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.scale.access.app import create_access_app
from oakbank.scale.access.bao import CREATE, BaoServer, borrow, lend_logins
from oakbank.scale.access.day import Git, at_work
from oakbank.scale.access.forge import attacks, careless, takes, try_all
from oakbank.scale.access.graves import search, spelling
from oakbank.scale.access.postgres import ADMIN, Postgres, PostgresError
from oakbank.scale.access.roles import enforcer, may
from oakbank.scale.access.tokens import (
    LONGEST,
    Caller,
    KeysError,
    Provider,
    Published,
    TokenError,
    Verifier,
    bearer,
    jwks_url,
)
from oakbank.world import FEATURES, World

SECRET = "planted-f4b1ee0b2c7d"
HERE, ISSUER = "scoring", "https://id.oakbank.example"
ROLES = ("applicant", "officer", "auditor", "approver", "operator")
TTL = 2  # seconds


# ---------------------------------------------------------------- graves


def git(repository: Path, *arguments: str) -> None:
    command = ["git", "-C", str(repository), *arguments]
    subprocess.run(command, check=True, capture_output=True, env=own_git(repository.parent, "2026-01-31T12:00:00Z"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    made = tmp_path / "repository"
    made.mkdir()
    git(made, "init", "-q")
    return made


def committed(repository: Path, text: str) -> None:
    (repository / "settings.py").write_text(text, encoding="utf-8")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "work")


def test_a_deleted_secret_is_in_the_history_and_an_amended_one_too(repository: Path) -> None:
    committed(repository, "nothing")
    assert search(SECRET, repository) == []
    committed(repository, f"TOKEN = '{SECRET}'")
    git(repository, "commit", "-q", "--amend", "-m", "work again")
    committed(repository, "TOKEN = None")
    (grave,) = search(SECRET, repository)
    assert (grave.place, grave.where[:5], grave.spelling) == ("git", "blob ", "plain")
    git(repository, "reset", "-q", "--hard", "HEAD~2")  # now no branch reaches it
    assert len(search(SECRET, repository)) == 1


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz"])
@pytest.mark.parametrize("after", ["", "z", "zz"])
def test_base64_hides_nothing_wherever_the_secret_begins(before: str, after: str) -> None:
    coded = base64.b64encode(f"{before}{SECRET}{after}".encode())
    assert spelling(coded, SECRET) == "base64"
    assert spelling(coded.replace(b"A", b"B", 1).lower(), SECRET) == ""


def test_other_spellings(tmp_path: Path) -> None:
    awkward = 'pass"wört/12'
    (tmp_path / "url").write_text("postgresql://me:pass%22w%C3%B6rt%2F12@host", encoding="utf-8")
    (tmp_path / "json").write_text(json.dumps({"a": awkward}), encoding="utf-8")
    (tmp_path / "windows").write_text(awkward, encoding="utf-16")
    found = search(awkward, tmp_path)
    assert [(grave.where, grave.spelling) for grave in found] == [
        ("json", "escaped"),
        ("url", "escaped"),
        ("windows", "UTF-16"),
    ]
    assert awkward not in repr(found)


def test_a_process_shows_its_variables_and_arguments(tmp_path: Path) -> None:
    waits, pipe = python("-c", "print(flush=True); input()", SECRET), subprocess.PIPE
    child = subprocess.Popen(waits, stdin=pipe, stdout=pipe, env=os.environ | {"TOKEN": SECRET})
    try:
        assert child.stdout is not None
        child.stdout.readline()  # it runs
        assert [grave.place for grave in search(SECRET, tmp_path, [child.pid])] == ["arguments", "environment"]
    finally:
        child.communicate(b"\n")
    with pytest.raises(ValueError, match="fewer than 8"):
        search("short", tmp_path)
    with pytest.raises(ValueError, match="no folder"):
        search(SECRET, tmp_path / "none")


# ---------------------------------------------------------------- lent logins


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def bao() -> Iterator[BaoServer]:
    with BaoServer() as server:
        yield server


@pytest.fixture(scope="module")
def lending(postgres: Postgres, bao: BaoServer) -> tuple[Postgres, BaoServer, str]:
    """Lend logins of the group `batch`; also the password that the administrator had."""
    with postgres.connect(ADMIN, postgres.password) as admin:
        admin.execute("CREATE ROLE batch")
        admin.execute("CREATE TABLE loans AS SELECT 1 AS id")
        admin.execute("GRANT SELECT ON loans TO batch")
        admin.execute(f"CREATE ROLE second SUPERUSER LOGIN PASSWORD '{SECRET}'")
    lend_logins(bao.client(), postgres, "batch", TTL)
    return postgres, bao, postgres.password


def outlasted(call: Any, seconds: float) -> float:
    """Return after how many seconds a call is first refused."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        try:
            call()
        except psycopg.OperationalError:
            return time.monotonic() - begun
        time.sleep(0.05)
    raise AssertionError(f"still not refused after {seconds} s")


def test_a_lent_login_dies_and_its_open_session_with_it(lending: tuple[Postgres, BaoServer, str]) -> None:
    postgres, bao, _ = lending
    login = borrow(bao.client(), "batch")
    session = postgres.connect(login.user, login.password)
    assert session.execute("SELECT * FROM loans").fetchall() == [(1,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        session.execute("DELETE FROM loans")
    assert login.password not in repr(login)
    assert outlasted(lambda: session.execute("SELECT 1"), TTL + 20) > TTL / 2
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        postgres.connect(login.user, login.password)
    again = borrow(bao.client(), "batch")
    assert (again.user, again.password) != (login.user, login.password)
    postgres.connect(again.user, again.password).close()


def test_without_ending_sessions_one_stays_open(lending: tuple[Postgres, BaoServer, str]) -> None:
    """What `REVOKE` is for: OpenBao's own statements drop the user and leave the session."""
    postgres, bao, _ = lending
    client = bao.client()
    database = client.secrets.database
    database.configure(
        name="plain",
        plugin_name="postgresql-database-plugin",
        allowed_roles=["plain"],
        connection_url=f"postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{postgres.port}/postgres",
        username="second",
        password=SECRET,
    )
    create = [each.replace("{group}", "batch").replace("{{{{name}}}}", "{{name}}") for each in CREATE]
    database.create_role(name="plain", db_name="plain", creation_statements=create, default_ttl="600s")
    login = borrow(client, "plain")
    with postgres.connect(login.user, login.password) as session:
        client.sys.revoke_lease(login.lease)
        with pytest.raises(psycopg.OperationalError):
            postgres.connect(login.user, login.password)
        assert session.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT * FROM loans")
    login = borrow(client, "batch")
    session = postgres.connect(login.user, login.password)
    client.sys.revoke_lease(login.lease)
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT 1")


def test_a_job_may_borrow_its_own_login_and_nothing_else(lending: tuple[Postgres, BaoServer, str]) -> None:
    postgres, bao, password = lending
    token = bao.client().auth.token.create(policies=["batch"], ttl="1m")["auth"]["client_token"]
    job = bao.client(token)
    assert borrow(job, "batch").seconds == TTL
    for call in (
        lambda: borrow(job, "plain"),
        lambda: job.secrets.database.read_connection("bank"),
        lambda: job.secrets.kv.v2.read_secret_version("bank", raise_on_deleted_version=True),
    ):
        with pytest.raises(hvac.exceptions.Forbidden):
            call()
    with pytest.raises(psycopg.OperationalError):
        postgres.connect(ADMIN, password)  # changed to one that OpenBao alone knows


def variables_of(secret: str, empty: Path, pid: int) -> list[Any]:
    """Return what `search` finds in a process; nothing in one that has ended meanwhile, as PostgreSQL's workers do."""
    try:
        return [*search(secret, empty, [pid])]
    except psutil.NoSuchProcess:
        return []


def test_no_secret_in_the_servers_logs_files_arguments_or_variables(
    lending: tuple[Postgres, BaoServer, str], tmp_path: Path
) -> None:
    postgres, bao, password = lending
    login = borrow(bao.client(), "batch")
    with pytest.raises(psycopg.OperationalError):
        postgres.connect(login.user, "wrong" + login.password)
    for server in (postgres, bao):
        folder = server._folder
        assert folder is not None
        pids = [each.pid for each in psutil.Process(server._server._keeper.pid).children(recursive=True)]  # type: ignore[union-attr]
        assert (folder / "server.log").stat().st_size
        assert pids
        for secret in (bao.root_token, password, login.password):
            assert search(secret, folder, []) == []
            assert [found for pid in pids for found in variables_of(secret, tmp_path, pid)] == []
            assert secret not in repr(server)


@pytest.mark.parametrize("group", ["no name", 'a"; DROP TABLE loans; --', ""])
def test_a_group_that_is_no_plain_name_is_refused(bao: BaoServer, postgres: Postgres, group: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
        lend_logins(bao.client(), postgres, group, 60)


# ---------------------------------------------------------------- no server stays

STARTS = """
import os, sys, time
from oakbank.scale.access.bao import BaoServer
from oakbank.scale.access.postgres import Postgres
servers = [BaoServer().start(), Postgres().start()]
print(*(server._server._keeper.pid for server in servers), flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_no_server_outlives_a_process_that_is_killed() -> None:
    kernel = subprocess.Popen(python("-c", STARTS), stdout=subprocess.PIPE, text=True)
    assert kernel.stdout is not None
    keepers = [psutil.Process(int(pid)) for pid in kernel.stdout.readline().split()]
    started = [*keepers, *(child for keeper in keepers for child in keeper.children(recursive=True))]
    assert {"bao", "postgres"} <= {process.name() for process in started}
    kernel.send_signal(signal.SIGKILL)
    kernel.wait()
    _, alive = psutil.wait_procs(started, timeout=20)
    assert alive == []


# ---------------------------------------------------------------- tokens


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider(ISSUER)


@pytest.fixture
def verify(provider: Provider) -> Verifier:
    return Verifier(Published(provider), ISSUER, HERE)


def test_an_honest_token_says_who_asks(provider: Provider, verify: Verifier) -> None:
    assert verify(provider.token("grace", ["approver"], HERE)) == Caller("grace", ("approver",))


def test_each_attack_needs_one_omission_and_ours_has_none(provider: Provider, verify: Verifier) -> None:
    forged = attacks(provider, HERE)
    omitting = careless(provider, HERE)
    taken = try_all({**omitting, "ours": verify}, forged)
    assert [*omitting] == [*forged]
    assert taken == {name: {attack: attack == name for attack in forged} for name in taken}
    assert all(omitting[name](token)["roles"] == ["approver"] for name, token in forged.items())
    honest = provider.token("mallory", ["applicant"], HERE)
    every: list[Any] = [*omitting.values(), verify]
    assert all(takes(each, honest) for each in every)
    reasons = {}
    for attack, token in forged.items():
        with pytest.raises(TokenError) as refused:
            verify(token)
        reasons[attack] = str(refused.value)
        assert not any(part in str(refused.value) for part in token.split(".") if part)
    assert len(set(reasons.values())) == 6  # unsigned and HS256 are refused for the same reason
    assert reasons["signature"] == reasons["algorithm"] == "it is not signed with RS256"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": None}, "missing"),
        ({"sub": None}, "missing"),
        ({"aud": None}, "missing"),
        ({"iss": None}, "missing"),
        ({"iat": None}, "missing"),
        ({"seconds": LONGEST + 1}, "more than 900 s"),
        ({"roles": [["approver"]]}, "no list"),
        ({"nbf": 2**33}, "not good yet"),
    ],
)
def test_a_signed_token_without_what_it_needs_is_refused(
    provider: Provider, verify: Verifier, claims: dict[str, Any], why: str
) -> None:
    told: dict[str, Any] = {"subject": "grace", "roles": ["approver"], "audience": HERE}
    with pytest.raises(TokenError, match=why):
        verify(provider.token(**told | claims))


@pytest.mark.parametrize("token", ["", "a", "a.b.c", "ä.ö.ü", ".." * 99])
def test_what_is_no_token_is_refused(verify: Verifier, token: str) -> None:
    with pytest.raises(TokenError, match="no token of ours"):
        verify(token)


def test_a_key_is_published_signs_and_is_withdrawn() -> None:
    provider = Provider(ISSUER)
    old = provider.signing
    with jwks_url(provider) as url:
        check = Verifier(jwt.PyJWKClient(url, lifespan=1, cooldown_duration=0), ISSUER, HERE)
        before = provider.token("grace", ["approver"], HERE)
        assert check(before).subject == "grace"
        new = provider.publish()
        with pytest.raises(ValueError, match="signs"):
            provider.withdraw(old)
        provider.sign_with(new)
        after = provider.token("grace", ["approver"], HERE)
        assert {check(token).subject for token in (before, after)} == {"grace"}  # both are good for a while
        provider.withdraw(old)
        time.sleep(1.1)
        assert check(after).subject == "grace"
        with pytest.raises(TokenError, match="kid"):
            check(before)
    with pytest.raises(KeysError):
        Verifier(jwt.PyJWKClient(url, timeout=1), ISSUER, HERE)(after)


def test_a_key_that_signs_as_soon_as_it_is_published_is_unknown_for_a_while() -> None:
    provider = Provider(ISSUER)
    with jwks_url(provider) as url:
        check = Verifier(jwt.PyJWKClient(url), ISSUER, HERE)  # keeps the keys for 5 minutes, and looks again after 30 s
        check(provider.token("grace", ["approver"], HERE))
        provider.sign_with(provider.publish())
        with pytest.raises(TokenError, match="kid"):
            check(provider.token("grace", ["approver"], HERE))


# ---------------------------------------------------------------- roles, and the service


@pytest.fixture(scope="module")
def model() -> CreditModel:
    world = World(1)
    return CreditModel.fit(feature_matrix(world.applications(0)), world.truth(0)["would_default"], rounds=5)


@pytest.fixture(scope="module")
def application() -> dict[str, Any]:
    row: dict[str, Any] = json.loads(World(1).applications(0)[[*FEATURES]].head(1).to_json(orient="records"))[0]
    return row


ALLOWED = {
    ("POST", "/score"): {"applicant", "officer"},
    ("POST", "/score/batch"): {"officer"},
    ("POST", "/approval"): {"approver"},
    ("GET", "/approval"): {"auditor", "approver", "operator"},
    ("PUT", "/paused"): {"operator"},
    ("GET", "/log"): {"auditor"},
}


class Service:
    """The guarded service, and requests to it in a role."""

    def __init__(self, model: CreditModel, provider: Provider, application: dict[str, Any], **options: Any) -> None:
        self.app = create_access_app(model, "7", Verifier(Published(provider), ISSUER, HERE), **options)
        self.client, self.provider = TestClient(self.app), provider
        self.bodies = {"/score": application, "/score/batch": [application], "/paused": {"paused": False}}

    def ask(self, method: str, path: str, token: str | None = None, json: Any = None) -> Any:
        headers = {} if token is None else bearer(token)
        return self.client.request(method, path, headers=headers, json=self.bodies.get(path) if json is None else json)

    def as_role(self, role: str, method: str, path: str, json: Any = None) -> Any:
        return self.ask(method, path, self.provider.token("grace", [role], HERE), json)


@pytest.fixture
def service(model: CreditModel, provider: Provider, application: dict[str, Any]) -> Service:
    return Service(model, provider, application, author="ada")


def test_each_role_may_do_what_its_lines_say_and_nothing_else(service: Service) -> None:
    policy = enforcer()
    for (method, path), allowed in ALLOWED.items():
        for role in (*ROLES, "intruder", ""):
            answer = service.as_role(role, method, path)
            assert answer.status_code == (200 if role in allowed else 403), (role, method, path)
            assert may(policy, [role], path, method) == (role in allowed)
        assert service.ask(method, path).status_code == 401
    routes = {(method, path) for path, told in service.app.openapi()["paths"].items() for method in told}
    assert {(method.upper(), path) for method, path in routes} == {*ALLOWED, ("GET", "/healthz"), ("GET", "/readyz")}


def test_a_new_route_is_closed_until_a_line_opens_it(service: Service) -> None:
    @service.app.get("/forgotten")
    async def forgotten() -> str:
        return "open"

    assert service.ask("GET", "/forgotten").status_code == 401
    assert {service.as_role(role, "GET", "/forgotten").status_code for role in ROLES} == {403}


@pytest.mark.parametrize("path", ["/log/", "//log", "/LOG", "/log?x=/score", "/score/../log", "/%6Cog", "/log%2F"])
def test_no_spelling_of_a_path_gets_around_the_door(service: Service, path: str) -> None:
    assert service.as_role("applicant", "GET", path).status_code in (403, 404, 405)


def test_nothing_is_said_before_the_token(service: Service) -> None:
    for body in (b"{", b"[]", b"\xff"):
        assert service.client.post("/score", content=body).status_code == 401
    assert {service.ask("GET", path).status_code for path in ("/docs", "/redoc")} == {404}
    assert {service.ask(how, "/log").status_code for how in ("HEAD", "OPTIONS", "POST")} == {405}


def test_probes_are_open_and_refusals_say_what_to_do(service: Service) -> None:
    assert [service.ask("GET", path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
    nobody, wrong = service.ask("GET", "/log"), service.as_role("officer", "GET", "/log")
    assert nobody.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert wrong.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
    assert nobody.headers["content-type"] == wrong.headers["content-type"] == "application/problem+json"
    assert "log in" in nobody.json()["detail"]
    assert "ask for one that may" in wrong.json()["detail"]


def test_every_forged_token_is_refused_at_the_door(service: Service, provider: Provider) -> None:
    for token in attacks(provider, HERE).values():
        assert service.ask("POST", "/approval", token).status_code == 401
    assert service.as_role("auditor", "GET", "/approval").json() == []


def test_the_approver_is_the_one_of_the_token_and_not_the_author(service: Service, provider: Provider) -> None:
    ada = provider.token("Ada ", ["approver"], HERE)
    assert service.ask("POST", "/approval", ada).status_code == 409
    assert service.as_role("approver", "POST", "/approval", {"approver": "bob"}).json()["approver"] == "grace"


def test_an_operator_pauses_the_service(service: Service) -> None:
    assert service.as_role("operator", "PUT", "/paused", {"paused": True}).status_code == 200
    assert service.as_role("applicant", "POST", "/score").status_code == 503
    assert service.ask("GET", "/readyz").status_code == 503
    assert service.as_role("operator", "PUT", "/paused", {"paused": False}).status_code == 200
    assert service.as_role("applicant", "POST", "/score").status_code == 200


def test_the_door_stays_shut_when_the_keys_cannot_be_had(model: CreditModel, provider: Provider) -> None:
    def verify(token: str) -> Caller:
        raise KeysError("the provider's keys cannot be had: ask again")

    client = TestClient(create_access_app(model, "7", verify))
    assert client.get("/log", headers={"Authorization": "Bearer x"}).status_code == 503


def test_no_token_in_logs_answers_or_files(
    service: Service, provider: Provider, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    good, bad = provider.token(SECRET, ["officer"], HERE), provider.token(SECRET, ["officer"], "elsewhere")
    answers = [service.ask(method, path, token) for token in (good, bad) for method, path in ALLOWED]
    told = [answer.text + str(answer.headers) for answer in answers]
    told.append(service.as_role("auditor", "GET", "/log").text)
    assert told[-1].count(SECRET) == len(ALLOWED)  # who asked is known, where the token was good
    (tmp_path / "told").write_text("\n".join([*told, caplog.text, repr(service.app.state._state)]), encoding="utf-8")
    for token in (good, bad):
        assert [search(part, tmp_path) for part in token.split(".")[1:]] == [[], []]


def test_a_policy_of_ones_own(model: CreditModel, provider: Provider, tmp_path: Path) -> None:
    policy = tmp_path / "policy.csv"
    policy.write_text("p, clerk, /log, GET\n", encoding="utf-8")
    service = Service(model, provider, {}, policy=enforcer(policy))
    assert service.as_role("clerk", "GET", "/log").status_code == 200
    assert service.as_role("auditor", "GET", "/log").status_code == 403
    with pytest.raises(FileNotFoundError, match="no policy"):
        enforcer(tmp_path / "none.csv")


# ---------------------------------------------------------------- the day, and everybody's database


def test_a_day_writes_the_token_into_seven_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    git = Git(own_git(tmp_path, "2026-01-31T12:00:00Z"))
    git.commit("settings.py", f"TOKEN = '{SECRET}'\n", "a token")
    with at_work(SECRET, tmp_path) as pid:
        git.commit("settings.py", "TOKEN = None\n", "no token")
        found = search(SECRET, tmp_path, [pid], git.environment)
    assert not psutil.pid_exists(pid)
    names = [Path(grave.where).name.split(".")[0] for grave in found if grave.place == "file"]
    assert names == ["settings", "batch", "look", "mlflow", "secret"]
    assert [grave.place for grave in found if grave.place != "file"] == ["environment", "git"]
    assert len(git("log", "--oneline", f"-S{SECRET}")) == 2


def test_a_login_that_goes_on_is_told(lending: tuple[Postgres, BaoServer, str]) -> None:
    with pytest.raises(PostgresError, match="still log in"):
        lending[0].seconds_until_refused("second", SECRET, most=0.1)
