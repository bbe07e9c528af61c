"""How long a large audit log takes: `python -m oakbank.governance.audit_speed --entries 1000000`.

Seconds are those of the processor; waiting for the disk comes on top, once a batch.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from oakbank.governance.audit import AuditLog, Draft
from oakbank.governance.merkle import leaf_hash
from oakbank.governance.proofs import prove

T = TypeVar("T")


def decision(number: int) -> Draft:
    """Return the draft of one decision, of the size that a bank's have."""
    commitment = sha256(str(number).encode()).hexdigest()
    payload = {"granted": number % 3 > 0, "version": "7", "month": number % 24, "person": commitment}
    return Draft("decide", "batch job", number % 24, f"decision-{number}", payload)


def measure(path: Path, entries: int, batch: int) -> dict[str, float]:
    """Append that many entries, verify them and prove one; return CPU seconds, and bytes as `size`.

    Raises:
        AssertionError: The log does not hold.
    """
    log, seconds = AuditLog(path), dict[str, float]()

    def timed(name: str, work: Callable[[], T]) -> T:
        begin = time.process_time()
        done = work()
        seconds[name] = time.process_time() - begin
        return done

    def fill() -> None:
        for begin in range(0, entries, batch):
            log.append_many([decision(number) for number in range(begin, min(begin + batch, entries))])

    timed("append", fill)
    head = timed("tree head", log.tree_head)
    found = timed("verify against the head", lambda: log.verify(head))
    assert (found.ok, found.entries) == (True, entries), found
    proof = timed("prove one entry", lambda: prove(log, entries // 2, head))
    assert timed("check the proof", lambda: proof.holds(head))
    one = timed("open again, append one", lambda: AuditLog(path).append("last", "benchmark"))
    assert one.seq == entries
    assert leaf_hash(one.line()) == log.leaves()[-1]
    return seconds | {"hashes in the proof": len(proof.path), "size": path.stat().st_size}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=1_000, help="entries that wait for the disk together")
    given = parser.parse_args()
    if min(given.entries, given.batch) < 1:
        parser.error("entries and batch are whole numbers from 1")
    with tempfile.TemporaryDirectory() as folder:
        for name, value in measure(Path(folder) / "audit.jsonl", given.entries, given.batch).items():
            print(f"{name:26} {value:15,.3f}")


if __name__ == "__main__":
    main()
