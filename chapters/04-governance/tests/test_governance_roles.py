"""Who signs what: every wrong person, key and order is refused, and an auditor finds what went around it."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oakbank.governance.audit import AuditError, AuditLog, Draft
from oakbank.governance.roles import SIGNS, Person, RoleError, record, sign, unsigned

ROLES = {"Ada": "developer", "Bob": "risk officer", "Cleo": "risk officer", "Dan": "operator", "Eve": "privacy officer"}
KEYS = {name: Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n, name in enumerate(ROLES)}
STAFF = {name: Person(role, KEYS[name].public_key()) for name, role in ROLES.items()}
TRAIN = Draft("train", "Ada", 0, "train-7", {"version": "7"})
PROMOTE = Draft("promote", "Bob", 1, "promote-7", {"version": "7"})


def signed(draft: Draft, by: str = "") -> Draft:
    return sign(draft, KEYS[by or draft.actor])


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path / "audit.jsonl")
    record(log, signed(TRAIN), STAFF)
    return log


def test_a_version_goes_from_author_to_approver(log: AuditLog) -> None:
    entry = record(log, signed(PROMOTE), STAFF)
    assert (entry.kind, entry.actor, entry.payload["version"]) == ("promote", "Bob", "7")
    record(log, signed(Draft("rollback", "Dan", 2, "back-7", {"version": "7"})), STAFF)
    record(log, signed(Draft("erase", "Eve", 2, "erase-1", {"rows": 3})), STAFF)
    record(log, Draft("decide", "batch job", 2, "d-1", {"granted": True}), STAFF)
    assert list(unsigned(log, STAFF)) == []


@pytest.mark.parametrize("kind", SIGNS)
def test_each_kind_is_for_one_role(log: AuditLog, kind: str) -> None:
    content, asked = log.path.read_bytes(), 0
    for name, role in ROLES.items():
        if role != SIGNS[kind]:
            with pytest.raises(RoleError, match=f"{name} is {role}: a '{kind}' is signed by a {SIGNS[kind]}"):
                record(log, signed(Draft(kind, name, 1, f"{kind} {name}", {"version": "7"})), STAFF)
            asked += 1
    assert asked >= 3
    assert log.path.read_bytes() == content


def test_a_name_without_its_key_is_nobody(log: AuditLog) -> None:
    content = log.path.read_bytes()
    good = signed(PROMOTE)
    for bad in (
        PROMOTE,
        signed(PROMOTE, by="Cleo"),
        signed(PROMOTE, by="Ada"),
        replace(good, actor="Cleo"),
        replace(good, payload=good.payload | {"version": "8"}),
        replace(good, payload=good.payload | {"more": 1}),
        replace(good, when=2),
        replace(good, key="another"),
        replace(good, kind="rollback", actor="Dan"),
        replace(PROMOTE, payload={"version": "7", "signature": "zz"}),
        replace(PROMOTE, payload={"version": "7", "signature": 3}),
    ):
        with pytest.raises(RoleError, match="is not signed by"):
            record(log, bad, STAFF)
    with pytest.raises(RoleError, match="'Mallory' is not on the staff"):
        record(log, replace(good, actor="Mallory"), STAFF)
    assert log.path.read_bytes() == content


def test_the_author_does_not_approve_whatever_their_role_is_now(log: AuditLog) -> None:
    moved = STAFF | {"Ada": Person("risk officer", KEYS["Ada"].public_key())}
    mine = signed(replace(PROMOTE, actor="Ada"))
    with pytest.raises(RoleError, match="Ada trained this version: somebody else has to approve it"):
        record(log, mine, moved)
    other = STAFF | {"ada": Person("risk officer", KEYS["Bob"].public_key())}
    with pytest.raises(RoleError, match="somebody else"):
        record(log, signed(replace(PROMOTE, actor="ada"), by="Bob"), other)
    record(log, signed(Draft("train", "Ada", 1, "train-8", {"version": "8"})), STAFF)
    again = signed(Draft("train", "Ada", 1, "train-7 again", {"version": "7"}))
    record(log, again, STAFF)
    assert record(log, signed(PROMOTE), moved).actor == "Bob"


def test_a_second_name_with_the_same_key_is_no_second_person(log: AuditLog) -> None:
    content = log.path.read_bytes()
    staff = STAFF | {"Ada B.": Person("risk officer", KEYS["Ada"].public_key())}
    draft = sign(replace(PROMOTE, actor="Ada B."), KEYS["Ada"])
    with pytest.raises(RoleError, match=r"Ada B\. and the author Ada sign with one key"):
        record(log, draft, staff)
    assert log.path.read_bytes() == content
    log.append_many([draft])
    assert [seq for seq, _ in unsigned(log, staff)] == [1]


def test_nobody_takes_over_the_authorship_of_a_version(log: AuditLog) -> None:
    """A second `train` entry for version 7 does not make Ada free to approve it."""
    staff = STAFF | {
        "Zoe": Person("developer", KEYS["Dan"].public_key()),
        "Ada": Person("risk officer", KEYS["Ada"].public_key()),
    }
    record(log, signed(Draft("train", "Zoe", 1, "train-7 too", {"version": "7"}), by="Dan"), staff)
    with pytest.raises(RoleError, match="Ada trained"):
        record(log, signed(replace(PROMOTE, actor="Ada")), staff)


def test_what_nobody_trained_is_not_promoted(log: AuditLog) -> None:
    for payload in ({"version": "8"}, {}):
        with pytest.raises(RoleError, match="its author has to sign first"):
            record(log, signed(replace(PROMOTE, payload=payload)), STAFF)


def test_an_old_approval_handed_in_again_adds_nothing(log: AuditLog) -> None:
    entry = record(log, signed(PROMOTE), STAFF)
    content = log.path.read_bytes()
    assert record(log, signed(PROMOTE), STAFF) == entry
    assert log.path.read_bytes() == content
    with pytest.raises(RoleError, match="needs a key"):
        record(log, signed(replace(PROMOTE, key=None)), STAFF)
    with pytest.raises(AuditError, match="says something else"):
        record(log, signed(replace(PROMOTE, actor="Cleo")), STAFF)


def test_an_auditor_finds_what_was_appended_around_the_rules(log: AuditLog) -> None:
    log.append("promote", "Bob", when=1, key="p", version="7")
    log.append_many([signed(replace(PROMOTE, payload={"version": "9"}))])
    log.append("rollback", "Mallory", version="7")
    assert [(seq, "not signed" in text, "sign first" in text) for seq, text in unsigned(log, STAFF)] == [
        (1, True, False),
        (2, False, True),
        (3, False, False),
    ]
