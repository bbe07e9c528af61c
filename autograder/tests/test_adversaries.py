"""The attacks of `autograder/trials/adversaries`, graded in one run among honest submissions."""

import contextlib
import copy
import hashlib
import json
import os
import re
import secrets
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import psutil
import pytest

from authoring.repository import ROOT
from autograder.examiner.grader import Grader, first_uid
from autograder.examiner.handles import Limits
from autograder.lab.key import load_key
from autograder.model import TEST, Key, Result
from autograder.outputs.feedback import feedback_page, hidden_lines
from autograder.sandbox.confine import why_not
from autograder.submissions.collect import collect
from autograder.trials.adversaries import (
    HERE,
    KINDS,
    LAB,
    WRONG,
    Adversary,
    World,
    hand_in,
    lab_points,
    load,
    make_lab,
    reference_answers,
    table,
)
from autograder.trials.course import release_of

LIMITS = Limits(cell_seconds=3, memory_mb=800, processes=48, scratch_mb=32, output_bytes=20_000, total_seconds=60)
THREADS = 2
HONEST = {
    "honest-as-taught": {},
    "honest-another-way": {
        "ex1": "def monthly_rate(annual):\n    return np.expm1(np.log1p(annual) / 12)",
        "ex2": "import math\n\n\ndef instalment(amount, annual, months):\n    rate = float(monthly_rate(annual))\n"
        "    if math.isclose(rate, 0, abs_tol=1e-15):\n        return amount / months\n"
        "    return rate * amount * (1 + rate) ** months / ((1 + rate) ** months - 1)",
        "ex3": "def cheapest(terms, price):\n    prices = [price(term) for term in terms]\n"
        "    return terms[int(np.argmin(prices))]",
        "ex4": "def default_rates(loans):\n    rates = loans.groupby('grade')['defaulted'].agg(['sum', 'count'])\n"
        "    rates['rate'] = rates['sum'] / rates['count']\n    return rates.reset_index()[['grade', 'rate']]",
    },
    "honest-and-chatty": {
        "ex4": "import numpy as np\nimport pandas as pd\n\n\ndef default_rates(loans):\n    print(loans)\n"
        "    grades = sorted(set(loans['grade']))\n    rates = [loans.loc[loans['grade'] == g, 'defaulted'].mean()"
        " for g in grades]\n    return pd.DataFrame({'grade': grades, 'rate': rates})\n\n\ndefault_rates(LOANS)"
    },
}
"""Right answers; one of these submissions stands after every few attacks."""

PROBE = """import os


def monthly_rate(annual):
    raise ValueError(f"uid={os.getuid()} sees={os.path.exists('@course@')} processes={len(os.listdir('/proc'))}")"""

FULL = {"ex1-test": 2.0, "ex2-test": 2.0, "ex3-test": 2.0, "ex4-test": 2.0, "ex4-test-close": 4.0}

needs_sandbox = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


# --- the attacks as files ---


@pytest.fixture(scope="module")
def attacks() -> list[Adversary]:
    return load()


def test_there_are_enough_and_they_are_complete(attacks: list[Adversary], course: Path) -> None:
    points = lab_points(course)
    assert points == FULL
    assert len(attacks) >= 45
    assert {one.kind for one in attacks} == set(KINDS)
    for one in attacks:
        assert list(one.gets) == list(FULL), one.name
        for test, score in one.gets.items():
            assert 0 <= score <= points[test], one.name
            if test.partition("-")[0] in one.honest:
                assert score == points[test], f"{one.name}: {test} is honest, so it keeps its points"
        assert bool(one.sees) == (one.gets != FULL), f"{one.name}: what is lost has a reason, and only that"
        assert one.attack == " ".join(one.attack.split()), one.name


def test_the_table_is_current() -> None:
    assert (HERE / "README.md").read_text(encoding="utf-8") == table(), "run `python -m autograder.trials.adversaries`"


def test_the_dangerous_ones_hold_still_outside_of_a_sandbox(attacks: list[Adversary]) -> None:
    """Whoever runs such a file by hand, or in a sandbox that shows the course, must come to no harm."""
    danger = re.compile(r"rmtree|os\.unlink|os\.fork\(\)\n +except|os\.kill\(target|2\*\*[23]0|b\"x\" \* 10_000_000")
    dangerous = []
    for one in attacks:
        for source in (*one.answers.values(), *(extra.source for extra in one.extras)):
            if found := danger.search(source):
                dangerous.append(one.name)
                catch = source.find('"@course@".startswith("@") or os.path.exists("@course@")')
                assert 0 <= catch < found.start(), one.name
    assert len(dangerous) >= 7, dangerous


# --- one run ---


@dataclass
class Ears:
    """What listens on the host, and what it heard."""

    tcp: int
    udp: int
    unix: str
    heard: list[str] = field(default_factory=list)


@contextlib.contextmanager
def listening(path: Path) -> Iterator[Ears]:
    """Listen on the host's loopback by TCP and UDP, on an abstract Unix socket and on one at `path`."""
    name = f"course-{secrets.token_hex(8)}"
    tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    abstract, file = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    udp.bind(("127.0.0.1", 0))
    abstract.bind("\0" + name)
    file.bind(str(path))
    path.chmod(0o777)
    ears = Ears(tcp.getsockname()[1], udp.getsockname()[1], name)
    over = threading.Event()

    def hear(ear: socket.socket, what: str) -> None:
        ear.settimeout(0.1)
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                ears.heard.append(
                    f"{what}: {ear.recvfrom(100)[0]!r}" if what == "udp" else f"{what}: {ear.accept()[1]}"
                )

    for ear in (tcp, abstract, file):
        ear.listen()
    named = {"tcp": tcp, "udp": udp, "abstract": abstract, "file": file}
    threads = [threading.Thread(target=hear, args=(ear, what)) for what, ear in named.items()]
    for thread in threads:
        thread.start()
    try:
        yield ears
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for ear in named.values():
            ear.close()
        path.unlink()


def snapshot(root: Path) -> dict[str, tuple[int, int, str]]:
    """Return mode, time of change and content of every file and folder below `root`."""
    found = {}
    for path in sorted(root.rglob("*")):
        about = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        found[path.relative_to(root).as_posix()] = about.st_mode, about.st_mtime_ns, content
    return found


def strays(token: str, before: set[int]) -> list[str]:
    """Return the processes that are left: children of this one, those with the token, a box's without an owner."""
    mine = {child.pid for child in psutil.Process().children(recursive=True)}
    found = []
    for process in psutil.process_iter(["pid", "name", "cmdline", "uids", "ppid"]):
        about = process.info
        if about["pid"] in before or about["uids"] is None:
            continue
        boxed = 0 <= about["uids"].real - first_uid() < 64 and about["ppid"] in (0, 1)
        if about["pid"] in mine or boxed or token in str([about["name"], about["cmdline"]]):
            found.append(f"{about['pid']} {about['name']} {about['cmdline']}")
    return found


def _soon_none(token: str, before: set[int]) -> list[str]:
    """Return what is left, after the time that the system needs to bury the dead."""
    until = time.monotonic() + 5
    while (found := strays(token, before)) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def litter(token: str, course: Path) -> list[str]:
    """Return the files that bear the token, wherever an attack may have tried to write."""
    names = ("/", "/tmp", "/var/tmp", "/dev/shm", "/run")
    places = {*map(Path, names), Path.home(), Path.cwd(), ROOT, course.parent}
    return sorted(path.name for place in places if place.is_dir() for path in place.iterdir() if token in path.name)


@dataclass(frozen=True)
class Run:
    """What one run of all attacks gave."""

    key: Key
    world: World
    attacks: dict[str, Adversary]
    results: dict[str, Result]
    seconds: dict[str, float]
    heard: list[str]
    left: list[str]
    files: list[str]
    changed: list[str]


@pytest.fixture(scope="module")
def course() -> Iterator[Path]:
    """A course outside /tmp, writable by everybody: only the sandbox protects it."""
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="adversaries-", dir=ROOT / "build") as folder:
        root = make_lab(Path(folder).resolve())
        (root / "gradebook.db").write_bytes(b"SQLite format 3\0" + b"marks" * 100)
        yield root


def _honest(name: str, course: Path) -> Adversary:
    answers = {**reference_answers(course), **HONEST[re.sub(r"-\d+$", "", name)]}
    return Adversary(name, "none", (), FULL, "", "answer", answers)


@pytest.fixture(scope="module")
def run(course: Path, attacks: list[Adversary]) -> Iterator[Run]:
    release = json.loads(release_of(course, LAB).read_text(encoding="utf-8"))
    reference = reference_answers(course)
    key = load_key(LAB, course)
    before = {process.pid for process in psutil.process_iter()}
    with listening(course / "listener") as ears:
        world = World(str(course), f"k{secrets.token_hex(6)}", ears.tcp, ears.udp, ears.unix)
        order: list[Adversary] = []
        for number, one in enumerate(attacks):
            if number % 8 == 0:
                kind = list(HONEST)[number // 8 % len(HONEST)]
                order.append(_honest(f"{kind}-{number:02}", course))
            order.append(one)
        for one in order:
            hand_in(one, course, release, reference, world)
        probe = replace(order[0], name="probe", answers={**reference, "ex1": PROBE})
        hand_in(probe, course, release, reference, world)
        sources = {source.student: source for source in collect(course / "submitted", LAB)}
        for path in (course, *course.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o666 | (0o111 if path.is_dir() else 0))
        old = snapshot(course)
        seconds: dict[str, float] = {}

        def grade(name: str) -> Result:
            start = time.monotonic()
            result = grader.grade(sources[name].read())
            seconds[name] = time.monotonic() - start
            return result

        with Grader(key, LIMITS) as grader, ThreadPoolExecutor(THREADS) as pool:
            said = grade("probe").marks[0].reason
            if "sees=False" not in said or f"uid={os.getuid()} " in said:
                pytest.fail(f"the sandbox does not hold ({said}): the attacks are not let loose")
            names = [one.name for one in order]
            results = dict(zip(names, pool.map(grade, names), strict=True))
        time.sleep(0.3)  # what still lives shall have the time to write
        left, files = _soon_none(world.token, before), litter(world.token, course)
        new = snapshot(course)
        changed = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
        yield Run(key, world, {one.name: one for one in order}, results, seconds, ears.heard, left, files, changed)


def _told(result: Result) -> str:
    """Return all that a student is told, line by line."""
    return "\n".join([result.fault, *result.notes, *(mark.reason for mark in result.marks)])


def judge(one: Adversary, result: Result) -> list[str]:
    """Return what is not as the front matter says."""
    scores = {mark.test: mark.score for mark in result.marks}
    wrong = [
        f"{one.name}: {test} gets {scores.get(test)}, not {points:g} ({mark.reason or 'no reason'})"
        for (test, points), mark in zip(one.gets.items(), result.marks, strict=True)
        if scores.get(test) != points
    ]
    for mark in result.marks:
        if mark.score is not None and mark.score < mark.points and not mark.reason.strip():
            wrong.append(f"{one.name}: {mark.test} loses points without a reason")
        if mark.reason != " ".join(mark.reason.split()) or not mark.reason.isprintable():
            wrong.append(f"{one.name}: {mark.test}: the reason is not one printable line: {mark.reason!r}")
    if one.sees and not one.is_seen(_told(result)):
        wrong.append(f"{one.name}: the student sees {_told(result)!r}, not {one.sees!r}")
    return wrong


@needs_sandbox
def test_each_attack_gets_what_it_earned_and_is_told_why(run: Run) -> None:
    wrong = [line for name, one in run.attacks.items() for line in judge(one, run.results[name])]
    assert not wrong, "\n" + "\n".join(wrong)


@needs_sandbox
def test_honest_submissions_beside_them_keep_full_marks(run: Run) -> None:
    bystanders = {name: result for name, result in run.results.items() if name.startswith("honest-")}
    assert len(bystanders) >= 6
    for name, result in bystanders.items():
        assert {mark.test: mark.score for mark in result.marks} == FULL, name
        assert _told(result).strip() == "", name


@needs_sandbox
def test_nothing_is_left_behind(run: Run) -> None:
    assert not run.left, "processes: " + "; ".join(run.left)
    assert not run.files, "files: " + "; ".join(run.files)
    assert not run.changed, "changed in the course: " + "; ".join(run.changed)


@needs_sandbox
def test_nobody_called(run: Run) -> None:
    assert not run.heard


@needs_sandbox
def test_it_does_not_take_long(run: Run) -> None:
    slowest = sorted(run.seconds.items(), key=lambda item: -item[1])[:8]
    assert sum(run.seconds.values()) / THREADS < 100, slowest
    assert slowest[0][1] < LIMITS.total_seconds + 10, slowest


class Live(HTMLParser):
    """Finds what would run or load something in a page."""

    TAGS = frozenset("script iframe object embed form base link meta svg math video audio source button".split())  # noqa: SIM905

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {"meta": ("charset", "name", "http-equiv")}
        if tag in self.TAGS and not (tag in known and attrs[0][0] in known[tag] and "refresh" not in str(attrs)):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            target = (value or "").strip().lower()
            if name.startswith("on") or name == "srcdoc" or target.startswith(("javascript:", "vbscript:", "http:")):
                self.found.append(f"{name}={target[:60]}")


def live(page: str) -> list[str]:
    """Return what is live in a page, and control characters that no page needs."""
    return Live(page).found + re.findall(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)


def leaks(key: Key, text: str) -> list[str]:
    """Return the lines of hidden tests that stand in a text; a message that a failing assert shows is not a line."""
    lines = {line for cell in key.cells if cell.kind == TEST for line in hidden_lines(cell) if len(line) > 12}
    return sorted(line for line in lines if line in text)


@needs_sandbox
def test_no_page_leaks_or_runs_anything(run: Run) -> None:
    for name, result in run.results.items():
        page = feedback_page(result, run.key)
        assert not live(page), name
        visible = re.sub(r"&#x27;|&#39;", "'", re.sub(r"<[^>]+>", "", page)).replace("&quot;", '"').replace("&gt;", ">")
        assert not leaks(run.key, visible.replace("&lt;", "<")), name
        texts = [_told(result), *(output.text for cell in result.cells for output in cell.outputs)]
        assert not leaks(run.key, "\n".join(texts)), name


@needs_sandbox
def test_a_result_goes_through_json_and_utf8(run: Run) -> None:
    for name, result in run.results.items():
        text = json.dumps(result.to_json(), ensure_ascii=False)
        assert Result.from_json(json.loads(text.encode())) == result, name
        assert len(text) < 40 * LIMITS.output_bytes, name


# --- these checks can fail ---


@needs_sandbox
def test_a_point_too_many_or_too_few_is_found(run: Run) -> None:
    name = "01-infinite-loop"
    one, result = run.attacks[name], run.results[name]
    assert judge(one, result) == []
    for number, mark in enumerate(result.marks):
        other = replace(mark, score=mark.points - (mark.score or 0), reason=mark.reason or "no")
        marks = (*result.marks[:number], other, *result.marks[number + 1 :])
        assert any(mark.test in line for line in judge(one, replace(result, marks=marks)))
    assert any("student sees" in line for line in judge(replace(one, sees="…no such sentence…"), result))
    silent = replace(result, marks=(replace(result.marks[0], reason=""), *result.marks[1:]))
    assert any("without a reason" in line for line in judge(one, silent))


def test_a_process_a_file_and_a_call_are_found(tmp_path: Path) -> None:
    import subprocess
    import sys

    token = f"k{secrets.token_hex(6)}"
    before = {process.pid for process in psutil.process_iter()}
    with subprocess.Popen([sys.executable, "-c", "input()", token], stdin=subprocess.PIPE) as process:
        assert any(token in line for line in strays(token, before))
        process.communicate(b"\n")
    assert strays(token, before) == []
    (tmp_path / f"{token}-loot").touch()
    assert litter(token, tmp_path / "course") == [f"{token}-loot"]
    old = snapshot(tmp_path)
    (tmp_path / f"{token}-loot").write_text("x")
    assert snapshot(tmp_path) != old
    with listening(tmp_path / "listener") as ears:
        socket.create_connection(("127.0.0.1", ears.tcp)).close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("127.0.0.1", ears.udp))
        for name in ("\0" + ears.unix, str(tmp_path / "listener")):
            with socket.socket(socket.AF_UNIX) as sender:
                sender.connect(name)
        for _ in range(50):
            if len(ears.heard) == 4:
                break
            time.sleep(0.05)
    assert sorted(line.partition(":")[0] for line in ears.heard) == ["abstract", "file", "tcp", "udp"]


def test_a_live_page_and_a_leak_are_found(course: Path) -> None:
    for page in (
        "<script>1</script>",
        "<img src=x onerror=1>",
        "<a href=' javascript:1'>x</a>",
        "<iframe srcdoc=x></iframe>",
        "<meta http-equiv=refresh content=0>",
        "\x1b[2J",
        "\u202e",
    ):
        assert live(f"<p>fine</p>{page}"), page
    assert not live("<meta charset=utf-8><p>&lt;script&gt;</p>")
    key = load_key(LAB, course)
    hidden = next(cell for cell in key.cells if cell.grade_id == "ex3-test")
    line = next(line for line in hidden.source.splitlines() if line not in hidden.visible and "assert" in line)
    assert leaks(key, f"Traceback: {line}") == [line]
    assert leaks(key, hidden.visible) == []


def test_a_broken_attack_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import autograder.trials.adversaries as package
    from base.errors import UserError

    (tmp_path / "attacks").mkdir()
    monkeypatch.setattr(package, "HERE", tmp_path)
    fine = {"attack": "a", "kind": "answer", "honest": ["ex2"], "gets": {"ex1-test": 0}, "student sees": "b"}
    file = tmp_path / "attacks" / "01-some.yml"
    for change, said in (
        ({"kind": "none"}, "kind is one of"),
        ({"honest": ["ex9"]}, "no exercise ex9"),
        ({"honest": ["ex1"]}, "cannot be honest"),
        ({"answers": {}}, "no attack"),
    ):
        file.write_text(json.dumps({**copy.deepcopy(fine), "answers": {"ex1": "x"}, **change}))
        with pytest.raises(UserError, match=said):
            load()
    file.write_text(json.dumps({**fine, "answers": {"ex1": "x"}}))
    assert [one.name for one in load()] == ["01-some"]
    assert WRONG.keys() == {"ex1", "ex2", "ex3", "ex4"}
