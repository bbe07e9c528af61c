# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["lakefs", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml"]
# ///
"""Tour of lakeFS: a broken month is repaired on a branch of the data lake and merged, with the real client.

    python3 bootstrap.py tour lakefs                 # what the client asks, with nobody to answer
    python3 bootstrap.py tour lakefs --quickstart    # downloads the vendor's server and runs on it

With `LAKECTL_SERVER_ENDPOINT_URL` and the credentials set, the same steps run on that server, in a repository of their
own that is deleted at the end (`LAKEFS_NAMESPACE`: where it keeps its objects, e.g. a prefix in a bucket).
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# This script has the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "chapters" / "01-intro" / "reference"))

import lakefs  # noqa: E402
from lakefs.client import Client  # noqa: E402
from lakefs.exceptions import LakeFSException  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.world import World  # noqa: E402

ENDPOINT = "LAKECTL_SERVER_ENDPOINT_URL"
# The quickstart server's documented credentials; they open nothing else.
QUICKSTART = ("http://127.0.0.1:8000", "AKIAIOSFOLQUICKSTART", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
PATIENCE = 300  # seconds until the quickstart server must answer: it downloads itself first


def month_of_loans(month: int) -> bytes:
    """Return the applications of a month as the feed delivers them, as CSV."""
    frame = World(seed=7, scenario="broken-feed-unit").applications(month)
    return frame.to_csv(index=False, lineterminator="\n").encode()


def repaired(csv: bytes) -> bytes:
    """Return a month whose income, delivered per year, is per month again."""
    header, *rows = csv.decode().splitlines()
    at = header.split(",").index("income")
    lines = [header]
    for row in rows:
        fields = row.split(",")
        fields[at] = f"{float(fields[at]) / 12:.2f}"
        lines.append(",".join(fields))
    return ("\n".join(lines) + "\n").encode()


def steps(client: Client, name: str, namespace: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what the tour does, in order: a sentence, and the call that does it.

    The calls that compare and read check what the server answered, and fail if it is not what was put there.
    """
    repository = lakefs.repository(name, client=client)
    main, repair = repository.branch("main"), repository.branch("repair")
    broken = month_of_loans(7)

    def changed() -> str:
        paths = [change.path for change in main.diff("repair")]
        if paths != ["loans/month=+07.csv"]:
            raise RuntimeError(f"the branches differ in {paths}, not in month 7")
        return "differs: " + ", ".join(paths)

    def read(ref: str, wanted: bytes) -> str:
        content = repository.ref(ref).object("loans/month=+07.csv").reader("rb", pre_sign=False).read()
        if content != wanted:
            raise RuntimeError(f"{ref}: what came back is not what was put there")
        return "came back to the byte"

    yield "create the repository", lambda: repository.create(namespace)
    for month in (5, 6, 7):
        path = f"loans/month={month:+03d}.csv"
        yield (
            f"put month {month} on main",
            lambda path=path, month=month: main.object(path).upload(month_of_loans(month), mode="wb", pre_sign=False),
        )
    yield "commit main", lambda: main.commit("Three months, month 7 with income per year", {"feed": "new supplier"})
    yield "branch off: no data is copied", lambda: repair.create("main")
    yield (
        "put the repaired month 7 on the branch",
        lambda: repair.object("loans/month=+07.csv").upload(repaired(broken), mode="wb", pre_sign=False),
    )
    yield "commit the branch", lambda: repair.commit("Month 7: income is per month")
    yield "compare main with the branch", changed
    yield "merge the branch into main", lambda: repair.merge_into(main)
    yield "read month 7 as it is", lambda: read("main", repaired(broken))
    yield "read month 7 as it was one commit ago", lambda: read("main~1", broken)


@contextlib.contextmanager
def nobody() -> Iterator[tuple[str, list[str]]]:
    """Listen on this machine, write down what is asked and refuse it; yield the address and the list of requests."""
    asked: list[str] = []

    class Refuse(BaseHTTPRequestHandler):
        """Answers every request with 503: there is no lakeFS here, and nothing pretends to be one."""

        def body(self) -> bytes:
            """Read what was sent: with its length in front, or in chunks, as the client sends files."""
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def refuse(self) -> None:
            """Write down one request."""
            body = self.body()
            kind = self.headers.get("Content-Type", "")
            text = body.decode() if kind.startswith("application/json") else f"<{len(body):,} bytes>"
            asked.append(f"{self.command} {self.path}" + (f"  {text}" if body else ""))
            answer = json.dumps({"message": "nobody here: this listener writes down what is asked"}).encode()
            self.send_response(503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = refuse  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def quickstart(home: Path) -> Iterator[str]:
    """Run the vendor's server with its data below `home`; yield nothing when it answers, else why it does not."""
    environment = {**os.environ, "HOME": str(home), "USERPROFILE": str(home)}
    with (home / "server.log").open("wb") as log:
        command = [sys.executable, "-m", "lakefs.quickstart"]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=home)  # noqa: S603
    problem = "its quickstart server did not answer in time"
    try:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if server.poll() is not None:
                last = (home / "server.log").read_text(errors="replace").strip().splitlines()[-1:]
                problem = f"its quickstart server did not start ({' '.join(last) or 'it said nothing'})"
                break
            try:
                urllib.request.urlopen(f"{QUICKSTART[0]}/api/v1/healthcheck", timeout=5).close()  # noqa: S310
            except (urllib.error.URLError, OSError):
                time.sleep(1)
            else:
                problem = ""
                break
        yield problem
    finally:
        server.terminate()
        server.wait()


def on_server(tour: Tour, client: Client) -> None:
    """Run every step on a real server, in a repository of its own, and delete that at the end."""
    name = f"oakbank-tour-{time.time_ns():x}"
    namespace = os.environ.get("LAKEFS_NAMESPACE", "local:/") + f"/{name}"
    tour.say(f"server: lakeFS {client.version}")
    try:
        for what, call in steps(client, name, namespace):
            answer = call()
            tour.say(f"- {what}" + (f": {answer}" if isinstance(answer, str) else ""))
    finally:
        with contextlib.suppress(LakeFSException):  # it may not have come into being
            lakefs.repository(name, client=client).delete()


def without_server(tour: Tour) -> None:
    """Let the real client ask for every step, and show the requests that it sends."""
    tour.say("no server: these are the requests that the client sends, each written down and refused")
    with nobody() as (address, asked):
        client = Client(host=address, username="nobody", password="nothing")  # noqa: S106
        for what, call in steps(client, "oakbank", "local://oakbank"):
            before = len(asked)
            try:
                call()
            except LakeFSException:
                tour.say(f"- {what}\n" + "".join(f"      {line}\n" for line in asked[before:]).rstrip())
            else:
                raise RuntimeError(f"{what}: the client took a refusal for an answer")
            if len(asked) == before:
                raise RuntimeError(f"{what}: the client asked for nothing")


def main() -> None:
    """Run the tour."""
    tour = Tour("lakeFS", "lakefs", "lakefs-sdk")
    missing = ""
    if os.environ.get(ENDPOINT):
        on_server(tour, Client())
    elif "--quickstart" in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as home, quickstart(Path(home)) as problem:
            missing = problem
            if not problem:
                on_server(tour, Client(host=QUICKSTART[0], username=QUICKSTART[1], password=QUICKSTART[2]))
    else:
        missing = f"no server was given; set {ENDPOINT} and the credentials, or add --quickstart"
    if missing:
        without_server(tour)
    tour.end(
        stores="the objects of every version once, in your bucket; commits, branches and tags in the server's database",
        not_proven=(
            "no branch was made, no byte stored, no merge conflict met: the requests are real, the answers are missing"
            if missing
            else "one small server with its data on one disk: no bucket, no second writer, no merge conflict"
        ),
        real=(
            f"export {ENDPOINT}=https://lakefs.example LAKEFS_NAMESPACE=s3://bucket/prefix",
            "export LAKECTL_CREDENTIALS_ACCESS_KEY_ID=... LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY=...",
        ),
        missing=missing,
    )


if __name__ == "__main__":
    main()
