"""Proofs about one audit log, for somebody who has only a tree head of it: an entry is in it; it has only grown.

Both are what RFC 6962 calls an audit path and a consistency proof: about log2(n) hashes for a log of n entries, each 32
bytes that say nothing about the entries below them: they would only confirm a guess of a whole line, and the commitment
in it (see `personal`) cannot be guessed.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice

from oakbank.governance.audit import AuditLog
from oakbank.governance.entries import Entry, parse_content
from oakbank.governance.merkle import (
    TreeHead,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)


class ProofError(ValueError):
    """A proof that cannot be made, or is none; the message says what to do."""


@dataclass(frozen=True)
class Inclusion:
    """That one entry is in the log: its line and the hashes from there to the root. It shows no other entry."""

    seq: int
    line: str
    path: tuple[str, ...]

    def holds(self, head: TreeHead) -> bool:
        """Return whether the entry is in the log of this head. Needs no log."""
        path = _hashes(self.path)
        return path is not None and verify_inclusion(leaf_hash(self.line.encode()), self.seq, path, head)

    def entry(self) -> Entry:
        """Return the entry.

        Raises:
            ProofError: The line is none.
        """
        try:
            return parse_content(self.line.encode())
        except ValueError as error:
            raise ProofError(f"the line of this proof {error}: ask for the proof again") from None

    def json(self) -> str:
        """Return it as it is handed to whoever asked."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Inclusion":
        """Return the proof that `json` wrote.

        Raises:
            ProofError: It is none.
        """
        try:
            given = json.loads(text)
            seq, line, path = given["seq"], given["line"], given["path"]
        except (ValueError, TypeError, KeyError):
            raise ProofError("this is no proof: JSON with seq, line and path is wanted") from None
        if not (type(seq) is int and isinstance(line, str) and isinstance(path, list)):
            raise ProofError("this is no proof: seq is a number, line a text, path a list")
        return cls(seq, line, tuple(map(str, path)))


def prove(log: AuditLog, seq: int, head: TreeHead) -> Inclusion:
    """Prove that entry `seq` is in the log of `head`.

    Raises:
        ProofError: The log of that head has no such entry, or this log does not begin with that of the head.
        AuditError: The chain does not hold.
    """
    leaves, line = [], b""
    for entry in islice(log, head.size):
        leaves.append(leaf_hash(entry.line()))
        if entry.seq == seq:
            line = entry.line()
    if not line:
        raise ProofError(f"the log of this head has no entry {seq}: it ends before entry {len(leaves)}")
    proof = Inclusion(seq, line.decode(), tuple(each.hex() for each in inclusion_proof(leaves, seq)))
    if not proof.holds(head):
        raise ProofError("this log is not the one of the head: run verify(head), and keep the file for the auditors")
    return proof


def prove_growth(log: AuditLog, old: TreeHead, new: TreeHead) -> tuple[str, ...]:
    """Return the hashes that show that the log of `new` begins with that of `old`.

    Raises:
        ProofError: It does not, or this log does not begin with that of `new`.
        AuditError: The chain does not hold.
    """
    leaves = log.leaves()[: new.size]
    try:
        path = tuple(each.hex() for each in consistency_proof(leaves, old.size))
    except IndexError:
        raise ProofError(
            f"a log of {old.size} entries cannot grow to {len(leaves)}: give the older head first"
        ) from None
    if not grew(old, new, path):
        raise ProofError("these are heads of different logs: keep both for the auditors, one of them was forged")
    return path


def grew(old: TreeHead, new: TreeHead, path: Sequence[str]) -> bool:
    """Return whether the path shows that the log of `new` begins with all of that of `old`. Needs no log."""
    hashes = _hashes(path)
    return hashes is not None and verify_consistency(old, new, hashes)


def _hashes(path: Sequence[str]) -> list[bytes] | None:
    """Return a path's hashes; None: one of them is none."""
    try:
        found = [bytes.fromhex(each) for each in path]
    except ValueError:
        return None
    return found if all(len(each) == 32 for each in found) else None
