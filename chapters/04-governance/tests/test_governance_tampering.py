"""A thousand edits of a log, its head and its personal data: what finds which, and what nothing but a kept head finds.

The means, as lesson 04/01 names them: the chain (`verify()`), the head that somebody else keeps (`verify(head)`), that
somebody's signature, and the commitment to personal data.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from oakbank.governance import entries as entries_module
from oakbank.governance import heads
from oakbank.governance.audit import AuditLog, Draft
from oakbank.governance.entries import Entry, canonical, parse_content, sealed
from oakbank.governance.heads import HeadError
from oakbank.governance.personal import PersonalError, PersonalStore

TRIALS = 1_000
ENTRIES = 12
CHAIN, HEAD, SIGNATURE, COMMITMENT, NOTHING = "chain", "kept head", "signature", "commitment", "nothing"


@dataclass
class Case:
    """A log with personal data beside it, and the head that the auditor has signed."""

    folder: Path
    note: str
    auditor: Ed25519PublicKey

    @property
    def log(self) -> AuditLog:
        return AuditLog(self.folder / "audit.jsonl")

    @property
    def store(self) -> PersonalStore:
        return PersonalStore(self.folder / "personal.db")

    def found_by(self) -> str:
        """Return the first of the means that sees something."""
        try:
            head = heads.signed_head(self.note, "auditor", self.auditor)
        except HeadError:
            return SIGNATURE
        if not self.log.verify().ok:
            return CHAIN
        if not self.log.verify(head).ok:
            return HEAD
        try:
            shown = [self.store.open(entry.key or "") for entry in self.log]
        except PersonalError:
            return COMMITMENT
        assert all(opening is not None and opening.holds() for opening in shown)
        return NOTHING


@pytest.fixture
def case(tmp_path: Path) -> Case:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    salts = Random(1)
    store = PersonalStore(tmp_path / "personal.db", salts.randbytes)
    codes = store.keep_many([(f"decision {n}", f"person {n}", {"id": n, "income": 1_000 * n}) for n in range(ENTRIES)])
    log = AuditLog(tmp_path / "audit.jsonl")
    log.append_many([Draft("decide", "job", n % 3, code, {"granted": n % 2 == 0}) for n, code in enumerate(codes)])
    return Case(tmp_path, heads.sign(heads.checkpoint(log.tree_head()), "auditor", key), key.public_key())


Lines = list[bytes]
Edit = Callable[[Random, Lines], tuple[bytes, str]]
"""Takes the log's lines; returns the file's new content, and what must find it."""


def bit(draw: Random, lines: Lines) -> tuple[bytes, str]:
    content = bytearray(b"".join(lines))
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(content), CHAIN


def byte(draw: Random, lines: Lines) -> tuple[bytes, str]:
    content = bytearray(b"".join(lines))
    place = draw.randrange(len(content))
    content[place] = draw.choice([b for b in range(256) if b != content[place]])
    return bytes(content), CHAIN


def line_gone(draw: Random, lines: Lines) -> tuple[bytes, str]:
    place = draw.randrange(len(lines))
    return b"".join(lines[:place] + lines[place + 1 :]), HEAD if place == len(lines) - 1 else CHAIN


def line_doubled(draw: Random, lines: Lines) -> tuple[bytes, str]:
    place = draw.randrange(len(lines))
    return b"".join([*lines[:place], lines[place], *lines[place:]]), CHAIN


def reordered(draw: Random, lines: Lines) -> tuple[bytes, str]:
    one, other = draw.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines), CHAIN


def spelt_otherwise(draw: Random, lines: Lines) -> tuple[bytes, str]:
    place = draw.randrange(len(lines))
    lines[place] = json.dumps(json.loads(lines[place]), sort_keys=True).encode() + b"\n"
    return b"".join(lines), CHAIN


def cut(draw: Random, lines: Lines) -> tuple[bytes, str]:
    content = b"".join(lines)[: draw.randrange(sum(map(len, lines)))]
    return content, HEAD if content[-1:] in (b"", b"\n") else CHAIN


def cut_at_an_entry(draw: Random, lines: Lines) -> tuple[bytes, str]:
    return b"".join(lines[: draw.randrange(len(lines))]), HEAD


def edited_with_its_own_hash(draw: Random, lines: Lines) -> tuple[bytes, str]:
    place = draw.randrange(len(lines))
    lines[place] = _lie(lines[place]) + b"\n"
    return b"".join(lines), HEAD if place == len(lines) - 1 else CHAIN


def written_anew(draw: Random, lines: Lines) -> tuple[bytes, str]:
    begin = draw.randrange(len(lines))
    lines[begin] = _lie(lines[begin]) + b"\n"
    for place in range(begin + 1, len(lines)):
        previous = json.loads(lines[place - 1])["hash"]
        lines[place] = _sealed_again(lines[place], previous=previous) + b"\n"
    return b"".join(lines), HEAD


def _lie(line: bytes) -> bytes:
    payload = json.loads(line)["payload"]
    return _sealed_again(line, payload={"granted": not payload["granted"]})


def _sealed_again(line: bytes, **changes: object) -> bytes:
    fields = json.loads(line) | changes
    del fields["hash"]
    return canonical(vars(sealed(fields)))


OF_THE_LOG: tuple[Edit, ...] = (
    bit,
    byte,
    line_gone,
    line_doubled,
    reordered,
    spelt_otherwise,
    cut,
    cut_at_an_entry,
    edited_with_its_own_hash,
    written_anew,
)
OF_PERSONAL_DATA = (
    "UPDATE personal SET content = '{\"id\":99}' WHERE key = :key",
    "UPDATE personal SET salt = zeroblob(32) WHERE key = :key",
    "UPDATE personal SET content = (SELECT content FROM personal WHERE key <> :key LIMIT 1) WHERE key = :key",
    "UPDATE personal SET commitment = 'ff' WHERE key = :key",
    "DELETE FROM personal WHERE key = :key",
)


def trials(case: Case, number: int) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Return how often which edit was found by what, and the edits that were found otherwise than expected."""
    draw, counted, missed = Random(7), Counter[tuple[str, str]](), []
    log, database = case.log.path, case.store.path
    lines, rows, note = log.read_bytes().splitlines(keepends=True), database.read_bytes(), case.note
    for trial in range(number):
        kind = trial % (len(OF_THE_LOG) + 2)
        if kind < len(OF_THE_LOG):
            name = OF_THE_LOG[kind].__name__
            content, expected = OF_THE_LOG[kind](draw, [*lines])
            log.write_bytes(content)
        elif kind == len(OF_THE_LOG):
            place = draw.randrange(len(note))
            letter = draw.choice([c for c in "0aZ+/= \n\r\v" if c != note[place]])
            case.note, name, expected = note[:place] + letter + note[place + 1 :], "note", SIGNATURE
        else:
            name, expected = "personal data", COMMITMENT
            with closing(sqlite3.connect(database)) as connection, connection:
                key = f"decision {draw.randrange(ENTRIES)}"
                assert connection.execute(draw.choice(OF_PERSONAL_DATA), {"key": key}).rowcount == 1
        found = case.found_by()
        counted[name, found] += 1
        if found != expected:
            missed.append(f"trial {trial}, {name}: found by {found}, not by {expected}")
        log.write_bytes(b"".join(lines))
        case.note = note
        if name == "personal data":
            database.write_bytes(rows)
    return counted, missed


def test_a_thousand_edits_are_found_by_what_the_lesson_names(case: Case) -> None:
    assert case.found_by() == NOTHING
    counted, missed = trials(case, TRIALS)
    assert not missed
    assert counted.total() == TRIALS
    assert counted["written_anew", HEAD] == sum(count for (name, _), count in counted.items() if name == "written_anew")
    assert {found for _, found in counted} == {CHAIN, HEAD, SIGNATURE, COMMITMENT}


def test_a_check_that_forgets_the_chain_or_the_head_is_found_out(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """The trials can fail."""

    def unchained(line: bytes, seq: int, previous: str) -> Entry:
        del seq, previous
        return parse_content(line)

    with monkeypatch.context() as patch:
        patch.setattr(entries_module, "parse", unchained)
        assert {one.split(",")[1].split(":")[0] for one in trials(case, 120)[1]} >= {" reordered", " line_doubled"}
    verify = AuditLog.verify
    with monkeypatch.context() as patch:
        patch.setattr(AuditLog, "verify", lambda self, head=None: verify(self))
        assert {one.split(",")[1].split(":")[0] for one in trials(case, 120)[1]} >= {
            " written_anew",
            " cut_at_an_entry",
        }


def test_what_came_after_the_kept_head_is_guarded_by_nothing(case: Case) -> None:
    """The honest limit: keep heads often."""
    lines = case.log.path.read_bytes()
    case.log.append("promote", "Bob", version="7")
    assert case.log.verify(heads.signed_head(case.note, "auditor", case.auditor)).ok
    case.log.path.write_bytes(lines)
    case.log.append("promote", "Mallory", version="666")
    assert case.log.verify(heads.signed_head(case.note, "auditor", case.auditor)).ok


KILLED_IN_THE_WRITE = """
import os, signal, sys
from pathlib import Path
from random import Random
from oakbank.governance.audit import AuditLog, Draft

drafts = [Draft("decide", "job", n, f"key {n}", {"text": "x" * 40}) for n in range(6)]
folder, kills, draw = Path(sys.argv[1]), int(sys.argv[2]), Random(3)
AuditLog(folder / "whole").append_many(drafts)
whole = (folder / "whole").read_bytes()
lines = whole.splitlines(keepends=True)
for kill in range(kills):
    path, place = folder / f"log {kill}", draw.randrange(len(whole) + 1)
    child = os.fork()
    if child == 0:
        def write(self, stream, content):
            stream.write(content[:place])
            os.kill(os.getpid(), signal.SIGKILL)
        AuditLog._write = write
        AuditLog(path).append_many(drafts)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert path.read_bytes() == whole[:place]
    there = AuditLog(path).entries()
    assert b"".join(entry.line() + b"\\n" for entry in there) == b"".join(lines[:len(there)])
    assert len(there) == whole[:place].count(b"\\n")
    AuditLog(path).append_many(drafts)
    assert path.read_bytes() == whole and AuditLog(path).verify().ok
print(kills)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
def test_killed_at_any_byte_of_a_write_no_half_entry_and_the_same_call_ends_it(tmp_path: Path) -> None:
    kills = int(os.environ.get("COURSE_KILLS", "60"))
    assert signal.SIGKILL == 9
    command = [sys.executable, "-c", KILLED_IN_THE_WRITE, str(tmp_path), str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{kills}\n"), done.stderr
