"""The Merkle tree, proofs and signed heads: against known answers and the definition, and forged."""

import base64
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from oakbank.governance import heads
from oakbank.governance.audit import AuditLog, Draft
from oakbank.governance.heads import HeadError
from oakbank.governance.merkle import (
    EMPTY,
    Frontier,
    TreeHead,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from oakbank.governance.proofs import Inclusion, ProofError, grew, prove, prove_growth

# Leaves in hex, and the root of the tree that ends with each: the test data of the certificate-transparency code.
KNOWN = {
    "": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "00": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "10": "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "2021": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "3031": "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "40414243": "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "5051525354555657": "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "606162636465666768696a6b6c6d6e6f": "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
MOST = 34
LEAVES = [leaf_hash(str(number).encode()) for number in range(MOST)]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    k = max(power for power in (2**n for n in range(20)) if power < len(leaves))
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def test_known_roots() -> None:
    leaves = [leaf_hash(bytes.fromhex(data)) for data in KNOWN]
    assert [root(leaves[:n]).hex() for n in range(1, 9)] == list(KNOWN.values())
    assert Frontier().head() == TreeHead(0, EMPTY.hex())


def test_every_small_tree_is_the_definition_and_proves_each_leaf() -> None:
    for size in range(1, MOST):
        leaves = LEAVES[:size]
        head = Frontier(leaves).head()
        assert head == TreeHead(size, by_definition(leaves).hex())
        for index in range(size):
            path = inclusion_proof(leaves, index)
            assert len(path) <= (size - 1).bit_length()
            assert verify_inclusion(leaves[index], index, path, head)
            assert not verify_inclusion(leaves[index], index, [*path, leaves[0]], head)
            assert not any(verify_inclusion(leaves[index], at, path, head) for at in range(-1, size + 2) if at != index)
            if path:
                assert not verify_inclusion(leaves[index], index, path[:-1], head)
                assert not verify_inclusion(leaves[index - 1], index, path, head)
            for place in range(len(path)):
                bent = [*path[:place], bytes(32), *path[place + 1 :]]
                assert not verify_inclusion(leaves[index], index, bent, head)


def test_every_small_tree_proves_that_it_grew() -> None:
    for size in range(1, MOST):
        new = Frontier(LEAVES[:size]).head()
        for before in range(1, size + 1):
            old = Frontier(LEAVES[:before]).head()
            path = consistency_proof(LEAVES[:size], before)
            assert verify_consistency(old, new, path)
            assert not verify_consistency(TreeHead(before, bytes(32).hex()), new, path)
            assert not verify_consistency(old, TreeHead(size, bytes(32).hex()), path)
            assert not verify_consistency(old, new, [*path, LEAVES[0]])
            if path:
                assert not verify_consistency(old, new, path[:-1])
                assert not verify_consistency(new, old, path)


def test_what_is_not_there_cannot_be_proved() -> None:
    with pytest.raises(IndexError, match="no leaf 3 in a tree of 3"):
        inclusion_proof(LEAVES[:3], 3)
    for size in (0, 4):
        with pytest.raises(IndexError, match="no tree of"):
            consistency_proof(LEAVES[:3], size)


def test_a_node_does_not_pass_for_a_leaf() -> None:
    head = Frontier(LEAVES[:4]).head()
    node = node_hash(LEAVES[0], LEAVES[1])
    assert not verify_inclusion(node, 0, [node_hash(LEAVES[2], LEAVES[3])], head)
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path / "audit.jsonl")
    log.append_many([Draft("decide", "job", 0, f"code {n}", {"granted": n % 2 == 0}) for n in range(11)])
    return log


def test_one_entry_is_proved_and_no_other_shown(log: AuditLog) -> None:
    head = log.tree_head()
    for seq in range(11):
        letter = prove(log, seq, head).json()
        proof = Inclusion.from_json(letter)
        assert proof.holds(head)
        assert proof.entry().key == f"code {seq}"
        assert [n for n in range(11) if f'code {n}\\"' in letter] == [seq]
        lie = Inclusion(seq, proof.line.replace("false", "true"), proof.path)
        assert lie.holds(head) == (lie == proof)
        assert not Inclusion((seq + 1) % 11, proof.line, proof.path).holds(head)
    log.append("later", "job")
    assert prove(log, 4, head).holds(head), "an older head still has its proofs"
    with pytest.raises(ProofError, match="no entry 11: it ends before entry 11"):
        prove(log, 11, head)


def test_a_proof_from_another_log_is_not_made(log: AuditLog) -> None:
    head = log.tree_head()
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.unlink()
    AuditLog(log.path).append_many([Draft("decide", "job", 0, None, {"granted": True}) for _ in lines])
    with pytest.raises(ProofError, match="not the one of the head"):
        prove(AuditLog(log.path), 3, head)
    with pytest.raises(ProofError, match="different logs"):
        prove_growth(AuditLog(log.path), head, AuditLog(log.path).tree_head())


def test_growth_is_proved_without_the_log(log: AuditLog) -> None:
    old = log.tree_head()
    log.append_many([Draft("decide", "job", 1) for _ in range(9)])
    new = log.tree_head()
    path = prove_growth(log, old, new)
    assert grew(old, new, path)
    assert not grew(new, old, path)
    assert not grew(old, TreeHead(new.size, old.root), path)
    with pytest.raises(ProofError, match="give the older head first"):
        prove_growth(log, new, old)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seq": "1", "line": "", "path": []}', '{"seq": 1, "line": 2}'])
def test_what_is_no_proof_says_so(text: str) -> None:
    with pytest.raises(ProofError, match="this is no proof"):
        Inclusion.from_json(text)


def test_a_path_of_no_hashes_holds_nothing(log: AuditLog) -> None:
    head, proof = log.tree_head(), prove(log, 3, log.tree_head())
    for part in ("x", "00", "zz" * 32):
        assert not Inclusion(3, proof.line, (part, *proof.path[1:])).holds(head)
    with pytest.raises(ProofError, match="is not an entry"):
        Inclusion(3, "{}", proof.path).entry()


# signed heads

SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
NOTE = (
    f"{TEXT}\n\N{EM DASH} PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def test_a_signed_note_is_that_of_go() -> None:
    """The example in the documentation of golang.org/x/mod/sumdb/note, key and all."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    assert heads.sign(TEXT, "PeterNeumann", key) == NOTE
    assert len(heads.signature(NOTE, "PeterNeumann", key.public_key())) == 64


def test_a_signed_head_comes_back_and_nothing_else_does(log: AuditLog) -> None:
    head, auditor, bank = log.tree_head(), Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    note = heads.sign(heads.sign(heads.checkpoint(head), "bank", bank), "auditor", auditor)
    for name, key in (("bank", bank), ("auditor", auditor)):
        assert heads.signed_head(note, name, key.public_key()) == head
    assert log.verify(heads.signed_head(note, "auditor", auditor.public_key())).ok
    other = heads.checkpoint(TreeHead(7, head.root))
    forged = other + "\n" + note.partition("\n\n")[2]
    for bad, name, key in (
        (note, "auditor", bank),
        (note, "bank", auditor),
        (note, "somebody", auditor),
        (forged, "auditor", auditor),
        (heads.sign(other, "auditor", bank), "auditor", auditor),
        (heads.checkpoint(head), "auditor", auditor),
        (note.replace("auditor ", "auditor x"), "auditor", auditor),
        ("", "auditor", auditor),
    ):
        with pytest.raises(HeadError, match="no valid signature"):
            heads.signed_head(bad, name, key.public_key())


def test_the_head_of_another_log_and_other_spellings_are_refused(log: AuditLog) -> None:
    head, key = log.tree_head(), Ed25519PrivateKey.generate()
    other = heads.sign(heads.checkpoint(head, "elsewhere.example/log"), "auditor", key)
    with pytest.raises(HeadError, match="elsewhere"):
        heads.signed_head(other, "auditor", key.public_key())
    good = heads.checkpoint(head)
    bent = [good.replace("\n11\n", "\n011\n"), good.replace("\n11\n", "\n+11\n"), good + "more\n", "a\nb\nc\n", ""]
    bent.append(heads.checkpoint(TreeHead(11, "00" * 31)))
    for text in bent:
        with pytest.raises(HeadError, match="no checkpoint"):
            heads.parse_checkpoint(text)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_name_that_a_note_cannot_hold(name: str) -> None:
    with pytest.raises(HeadError, match="no spaces"):
        heads.sign("text\n", name, Ed25519PrivateKey.generate())


def test_keys_are_kept_for_their_owner_and_never_written_over(tmp_path: Path) -> None:
    path, key = tmp_path / "auditor.pem", Ed25519PrivateKey.generate()
    heads.save_key(path, key)
    assert os.name != "posix" or path.stat().st_mode & 0o077 == 0
    public = path.with_name("auditor.pem.pub")
    assert heads.load_private(path).private_bytes_raw() == key.private_bytes_raw()
    assert heads.load_public(public).public_bytes_raw() == key.public_key().public_bytes_raw()
    with pytest.raises(HeadError, match="there is a key"):
        heads.save_key(path, Ed25519PrivateKey.generate())
    with pytest.raises(HeadError, match="no private"):
        heads.load_private(public)
    with pytest.raises(HeadError, match="no public"):
        heads.load_public(path)
    other = X25519PrivateKey.generate()
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for load, file in ((heads.load_private, path), (heads.load_public, public)):
        with pytest.raises(HeadError, match="Ed25519 key"):
            load(file)


@pytest.mark.skipif(heads.openssl() is None, reason="needs OpenSSL 3")
def test_openssl_agrees(tmp_path: Path, log: AuditLog) -> None:
    key = Ed25519PrivateKey.generate()
    heads.save_key(tmp_path / "key.pem", key)
    note = heads.sign(heads.checkpoint(log.tree_head()), "auditor", key)
    (tmp_path / "head.sig").write_bytes(heads.signature(note, "auditor", key.public_key()))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem.pub", "-rawin"]
    command += ["-in", "head.txt", "-sigfile", "head.sig"]
    for text, code in ((heads.statement(note), 0), (heads.statement(note).replace(b"11", b"10"), 1)):
        (tmp_path / "head.txt").write_bytes(text)
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == code
