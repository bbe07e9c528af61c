"""The audit log: tampered with in every way, killed, crowded and out of disk."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oakbank.governance import entries as entries_module
from oakbank.governance.audit import START, AuditError, AuditLog, Draft, Entry
from oakbank.governance.entries import canonical, sealed

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and limits")


def fill(path: Path, n: int = 5) -> AuditLog:
    log = AuditLog(path)
    for month in range(n):
        log.append("decide", "batch job", when=month, key=f"month-{month}", month=month, granted=month * 7, note="é|\n")
    return log


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return fill(tmp_path / "audit.jsonl")


def lines(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


def test_what_is_written_is_read_back(log: AuditLog) -> None:
    entries = AuditLog(log.path).entries()
    assert [entry.seq for entry in entries] == [0, 1, 2, 3, 4]
    assert entries[0].previous == START
    assert entries[3].payload == {"month": 3, "granted": 21, "note": "é|\n"}
    assert (entries[3].kind, entries[3].actor, entries[3].when) == ("decide", "batch job", 3)
    assert log.head() == entries[-1].hash
    assert log.verify(log.head()).ok


def test_empty_log_holds(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "none.jsonl")
    assert log.entries() == []
    assert log.head() == START
    assert log.verify(START).ok


def test_same_entries_same_bytes(tmp_path: Path) -> None:
    assert fill(tmp_path / "a" / "x").path.read_bytes() == fill(tmp_path / "b" / "x").path.read_bytes()


CLEAN: list[bytes] = []


def clean(tmp: Path) -> bytes:
    if not CLEAN:
        CLEAN.append(fill(tmp / "clean.jsonl").path.read_bytes())
    return CLEAN[0]


@settings(max_examples=400, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
@example(place=1 - 1e-12, byte=ord("x"))  # the last newline
@example(place=0.0, byte=ord(" "))
def test_any_changed_byte_is_seen(tmp_path_factory: pytest.TempPathFactory, place: float, byte: int) -> None:
    folder = tmp_path_factory.getbasetemp()
    content = bytearray(clean(folder))
    position = int(place * len(content))
    same = content[position] == byte
    content[position] = byte
    path = folder / "edited.jsonl"
    path.write_bytes(content)
    assert AuditLog(path).verify().ok is same


@pytest.mark.parametrize("place", range(4))
def test_removed_entry_is_seen(log: AuditLog, place: int) -> None:
    kept = lines(log)
    log.path.write_bytes(b"".join(kept[:place] + kept[place + 1 :]))
    found = log.verify()
    assert not found.ok
    assert (found.first_bad, found.entries) == (place, place)


def test_moved_doubled_and_inserted_entries_are_seen(log: AuditLog, tmp_path: Path) -> None:
    kept = lines(log)
    foreign = lines(fill(tmp_path / "other.jsonl", 1))[0]
    for changed in (
        [kept[0], kept[2], kept[1], *kept[3:]],
        [kept[0], kept[0], *kept[1:]],
        [*kept, kept[-1]],
        [kept[0], foreign, *kept[1:]],
        [kept[0], b"\n", *kept[1:]],
        [*kept, b"\n"],
    ):
        log.path.write_bytes(b"".join(changed))
        assert not log.verify().ok


def test_edit_with_its_own_hash_redone_breaks_the_next(log: AuditLog) -> None:
    kept = lines(log)
    fields = json.loads(kept[2])
    del fields["hash"]
    fields["payload"]["granted"] = 1_000
    kept[2] = canonical(vars(sealed(fields))) + b"\n"
    log.path.write_bytes(b"".join(kept))
    assert log.verify().first_bad == 3


def test_other_spelling_of_the_same_entry_is_seen(log: AuditLog) -> None:
    kept = lines(log)
    kept[1] = json.dumps(json.loads(kept[1])).encode() + b"\n"
    log.path.write_bytes(b"".join(kept))
    assert log.verify().first_bad == 1


def test_a_cut_end_needs_an_anchor(log: AuditLog) -> None:
    head = log.head()
    log.append("later", "someone")
    assert log.verify(head).ok, "an anchor stays good while the log grows"
    log.path.write_bytes(b"".join(lines(log)[:3]))
    fresh = AuditLog(log.path)
    assert fresh.verify().ok, "the chain alone cannot see it"
    assert not fresh.verify(head).ok


def test_a_log_written_anew_needs_an_anchor(log: AuditLog) -> None:
    head = log.head()
    log.path.unlink()
    forged = AuditLog(log.path)
    for month in range(5):
        forged.append("decide", "batch job", when=month, month=month, granted=0)
    assert forged.verify().ok, "who can write the whole file can forge the whole chain"
    assert not forged.verify(head).ok


def test_nothing_is_built_on_a_damaged_log(log: AuditLog) -> None:
    content = log.path.read_bytes()
    log.path.write_bytes(content.replace(b'"granted":7', b'"granted":9'))
    before = log.path.read_bytes()
    with pytest.raises(AuditError, match="entry 1 was changed"):
        AuditLog(log.path).append("decide", "batch job")
    with pytest.raises(AuditError, match="entry 1 was changed"):
        log.head()
    assert log.path.read_bytes() == before


def test_who_saw_more_notices_a_cut(log: AuditLog) -> None:
    log.path.write_bytes(b"".join(lines(log)[:3]))
    with pytest.raises(AuditError, match="shorter than it was"):
        log.append("decide", "batch job")


def test_same_key_adds_nothing_also_after_a_restart(log: AuditLog) -> None:
    content = log.path.read_bytes()
    again = AuditLog(log.path).append("decide", "batch job", when=2, key="month-2", month=2, granted=14, note="é|\n")
    assert again == log.entries()[2]
    assert log.path.read_bytes() == content
    with pytest.raises(AuditError, match="entry 2, which says something else"):
        AuditLog(log.path).append("decide", "batch job", when=2, key="month-2", month=2, granted=15)
    assert log.path.read_bytes() == content


@pytest.mark.parametrize("value", [np.int64(3), float("nan"), {1, 2}, b"x", float("inf")])
def test_what_json_cannot_say_is_refused(log: AuditLog, value: object) -> None:
    content = log.path.read_bytes()
    with pytest.raises(AuditError, match="plain JSON"):
        log.append("decide", "batch job", value=value)
    assert log.path.read_bytes() == content


@settings(max_examples=50, deadline=None)
@given(
    payload=st.dictionaries(
        st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_any_json_survives(tmp_path_factory: pytest.TempPathFactory, payload: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.unlink(missing_ok=True)
    AuditLog(path).append("any", "someone", **{f"_{name}": value for name, value in payload.items()})
    assert [*AuditLog(path).entries()[0].payload.values()] == [payload[name] for name in sorted(payload)]
    assert AuditLog(path).verify().ok


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_unfinished_line_is_put_aside_not_lost(log: AuditLog, cut: int) -> None:
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[:-cut])
    fresh = AuditLog(log.path)
    assert len(fresh.entries()) == 4
    assert not fresh.verify().ok, "a killed append and an edited end look alike: said until it is put aside"
    fresh.append("restart", "batch job")
    assert fresh.verify().ok
    assert fresh.torn_path.name in fresh.verify().detail
    assert fresh.torn_path.read_bytes() == lines_of(whole)[4][:-cut].rstrip(b"\n") + b"\n"
    assert [entry.kind for entry in fresh.entries()] == ["decide"] * 4 + ["restart"]


def lines_of(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


APPEND_FOREVER = """
import sys
from oakbank.governance.audit import AuditLog
log, run = AuditLog(sys.argv[1]), int(sys.argv[2])
for number in range(1_000_000):
    entry = log.append("decide", f"run {run}", key=f"{run}-{number}", number=number, text="x" * 5_000)
    print(entry.seq, number, flush=True)
"""


@POSIX_ONLY
def test_killed_while_appending_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    rng = np.random.default_rng(0)
    acknowledged: dict[int, str] = {}
    for run in range(6):
        command = [sys.executable, "-c", APPEND_FOREVER, str(path), str(run)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told = [process.stdout.readline()]
            timer = threading.Timer(float(rng.uniform(0.01, 0.3)), process.kill)
            timer.start()
            told += process.stdout
            assert process.wait() == -9
            timer.join()
        for line in told:
            if line.endswith("\n"):
                seq, number = line.split()
                acknowledged[int(seq)] = f"{run}-{number}"
    log = AuditLog(path)
    log.append("restart", "test")
    assert log.verify().ok
    keys = {entry.seq: entry.key for entry in log.entries()}
    assert len(acknowledged) >= 6
    assert {seq: keys[seq] for seq in acknowledged} == acknowledged


APPEND_SOME = """
import sys
from oakbank.governance.audit import AuditLog
log = AuditLog(sys.argv[1])
for number in range(100):
    log.append("own", sys.argv[2], number=number)
    log.append("shared", "either", key=f"shared-{number}", number=number)
"""


def test_two_processes_make_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    command = [sys.executable, "-c", APPEND_SOME, str(path)]
    running = [subprocess.Popen([*command, name]) for name in ("one", "two")]
    assert [process.wait() for process in running] == [0, 0]
    log = AuditLog(path)
    assert log.verify().ok
    entries = log.entries()
    assert len(entries) == 300
    for who in ("one", "two"):
        assert [entry.payload["number"] for entry in entries if entry.actor == who] == list(range(100))


def test_threads_may_share_a_log(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl")

    def work(name: str) -> None:
        for number in range(30):
            log.append("own", name, number=number)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.verify(log.head()).entries == 120


FILL_UP = """
import resource, sys
from oakbank.governance.audit import AuditError, AuditLog
log = AuditLog(sys.argv[1])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
written = 0
try:
    for number in range(1_000):
        log.append("decide", "batch", number=number, text="x" * 300)
        written += 1
except AuditError as error:
    assert "entry not written" in str(error) and "make room" in str(error), error
else:
    raise SystemExit("the limit was never met")
assert log.verify().ok and log.verify().entries == written, log.verify()
assert not log.torn_path.exists()
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
log.append("decide", "batch", number=written, text="room again")
assert log.verify().ok and log.entries()[-1].seq == written
print(written)
"""


@POSIX_ONLY
@pytest.mark.parametrize("limit", [100, 5_000, 5_123])
def test_full_disk_is_said_and_the_log_is_as_before(tmp_path: Path, limit: int) -> None:
    path = tmp_path / "audit.jsonl"
    command = [sys.executable, "-c", FILL_UP, str(path), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (int(done.stdout) == 0) == (limit == 100)


def test_failed_flush_takes_the_entry_back(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    content = log.path.read_bytes()

    def fail(handle: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(AuditError, match="Input/output error"):
            log.append("decide", "batch job")
    assert log.path.read_bytes() == content
    assert log.append("decide", "batch job").seq == 5


def test_appending_reads_only_what_is_new(log: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    real = entries_module.parse

    def watched(line: bytes, seq: int, previous: str) -> Entry:
        parsed.append(seq)
        return real(line, seq, previous)

    monkeypatch.setattr(entries_module, "parse", watched)
    for _ in range(20):
        log.append("decide", "batch job")
    assert parsed == []
    AuditLog(log.path).append("decide", "another")
    assert parsed == list(range(25))
    log.append("decide", "batch job")
    assert parsed[25:] == [25]


def test_a_copy_is_as_good(log: AuditLog, tmp_path: Path) -> None:
    copy = shutil.copy(log.path, tmp_path / "copy.jsonl")
    assert AuditLog(copy).verify(log.head()).ok


def test_many_at_once_are_the_same_as_one_by_one(log: AuditLog, tmp_path: Path) -> None:
    drafts = [
        Draft("decide", "batch job", m, f"month-{m}", {"month": m, "granted": m * 7, "note": "é|\n"}) for m in range(5)
    ]
    many = AuditLog(tmp_path / "many.jsonl")
    assert many.append_many(drafts) == log.entries()
    assert many.path.read_bytes() == log.path.read_bytes()
    assert many.append_many([*drafts[3:], Draft("more", "somebody")])[-1].seq == 5
    assert many.append_many([]) == []


def test_of_many_all_are_added_or_none(log: AuditLog) -> None:
    content = log.path.read_bytes()
    twice = Draft("decide", "batch job", key="new", payload={"n": 1})
    for second in (
        Draft("decide", "batch job", key="month-2"),
        Draft("decide", "batch job", key="new", payload={"n": True}),
    ):
        with pytest.raises(AuditError, match="says something else"):
            log.append_many([twice, second])
    with pytest.raises(AuditError, match="plain JSON"):
        log.append_many([twice, Draft("decide", "batch job", payload={"n": np.int64(1)})])
    assert log.path.read_bytes() == content
    one, same = log.append_many([twice, twice])
    assert one == same
    assert log.verify().entries == 6


def test_an_entry_with_a_key_that_was_changed_is_not_given_out(log: AuditLog) -> None:
    log.path.write_bytes(log.path.read_bytes().replace(b'"granted":14', b'"granted":15'))
    with pytest.raises(AuditError, match="key 'month-2' was changed"):
        log.append("decide", "batch job", when=2, key="month-2", month=2, granted=14, note="é|\n")


def test_a_tree_head_says_what_became_of_the_log(log: AuditLog) -> None:
    head = log.tree_head()
    assert (head.size, AuditLog(log.path.with_name("none")).tree_head().size) == (5, 0)
    assert log.verify(head).ok
    assert log.verify(AuditLog(log.path.with_name("none")).tree_head()).ok
    log.append("later", "someone")
    assert log.verify(head).ok
    kept = lines(log)
    log.path.write_bytes(b"".join(kept[:3]))
    assert "has 5 entries: the log was cut short" in AuditLog(log.path).verify(head).detail
    log.path.write_bytes(b"")
    assert not AuditLog(log.path).verify(head).ok
    log.path.unlink()
    AuditLog(log.path).append_many([Draft("decide", "batch job") for _ in kept])
    assert AuditLog(log.path).verify().ok
    assert "cut short or rewritten" in AuditLog(log.path).verify(head).detail
