"""Who signs what, and that the approver of a model is not its author: by key, so that a name is not only claimed.

| kind of entry | signed by | who says by it |
|---|---|---|
| `train` | developer | this version comes from this run, and I made it |
| `promote` | risk officer, not the author | I have seen its gates, and it may decide about customers |
| `rollback` | operator | I took it back |
| `erase` | privacy officer | this person's data are deleted |
| a tree head (not an entry) | auditor, outside of the bank's systems | this is the log as I saw it; see `heads` |

Signed is all that the entry will say but its place in the log. The key that makes an append safe to repeat is among it,
so an old approval that is handed in again adds nothing.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from oakbank.deploy.gate import four_eyes
from oakbank.governance.audit import AuditLog
from oakbank.governance.entries import Draft, Entry, canonical

SIGNS: Final[Mapping[str, str]] = {
    "train": "developer",
    "promote": "risk officer",
    "rollback": "operator",
    "erase": "privacy officer",
}
"""Kind of entry -> role that signs it. Other kinds need no signature."""
SIGNATURE = "signature"
"""Where the payload has the signature, in hex."""


class RoleError(PermissionError):
    """An entry that this person may not add; the message says who may. The log is as it was before."""


@dataclass(frozen=True)
class Person:
    """Somebody who may sign: their one role, and the key by which they are known."""

    role: str
    key: Ed25519PublicKey


Staff = Mapping[str, Person]
"""By name, as in an entry's `actor`. Whoever can change it can appoint themselves: keep it from the log's writer."""


def sign(draft: Draft, key: Ed25519PrivateKey) -> Draft:
    """Return the draft with its signature in the payload; done by the person, with the key that only they have."""
    return replace(draft, payload=draft.payload | {SIGNATURE: key.sign(_statement(draft)).hex()})


def record(log: AuditLog, draft: Draft, staff: Staff) -> Entry:
    """Append a signed draft if its actor may say that.

    Raises:
        RoleError: The actor is unknown, has another role, did not sign it, or promotes a version of their own, also
            under another name with the same key.
        AuditError: As `AuditLog.append`.
    """
    if draft.key is None:
        raise RoleError(f"a signed {draft.kind!r} needs a key: without one it could be handed in again")
    if problem := _problem(draft, staff, _authors(log) if draft.kind == "promote" else {}):
        raise RoleError(problem)
    return log.append_many([draft])[0]


def unsigned(log: AuditLog, staff: Staff) -> Iterator[tuple[int, str]]:
    """Yield place and problem of each entry that `record` would have refused: what an auditor looks for in a log.

    Raises:
        AuditError: The chain does not hold.
    """
    authors: dict[str, str] = {}
    for entry in log:
        draft = Draft(entry.kind, entry.actor, entry.when, entry.key, entry.payload)
        if problem := _problem(draft, staff, authors):
            yield entry.seq, problem
        _note_author(authors, entry)


def _problem(draft: Draft, staff: Staff, authors: Mapping[str, str]) -> str:
    role, person = SIGNS.get(draft.kind), staff.get(draft.actor)
    if role is None:
        return ""
    if person is None:
        return f"{draft.actor!r} is not on the staff: a {draft.kind!r} is signed by a {role}"
    if person.role != role:
        return f"{draft.actor} is {person.role}: a {draft.kind!r} is signed by a {role}"
    try:
        person.key.verify(bytes.fromhex(draft.payload[SIGNATURE]), _statement(draft))
    except (KeyError, TypeError, ValueError, InvalidSignature):
        return (
            f"this {draft.kind!r} is not signed by {draft.actor}: sign it with `roles.sign`, change nothing afterwards"
        )
    if draft.kind != "promote":
        return ""
    version = draft.payload.get("version")
    author = authors.get(str(version))
    if author is None:
        return f"no 'train' entry names version {version!r}: its author has to sign first"
    result = four_eyes(author, draft.actor)
    if not result.passed:
        return result.detail
    if author in staff and staff[author].key == person.key:
        return f"{draft.actor} and the author {author} sign with one key: two names are not two persons"
    return ""


def _authors(log: AuditLog) -> dict[str, str]:
    authors: dict[str, str] = {}
    for entry in log:
        _note_author(authors, entry)
    return authors


def _note_author(authors: dict[str, str], entry: Entry) -> None:
    if entry.kind == "train" and "version" in entry.payload:
        authors.setdefault(str(entry.payload["version"]), entry.actor)  # the first who claimed it


def _statement(draft: Draft) -> bytes:
    payload = {name: value for name, value in draft.payload.items() if name != SIGNATURE}
    return canonical(vars(draft) | {"payload": payload})
