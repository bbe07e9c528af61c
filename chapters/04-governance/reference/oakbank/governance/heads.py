"""A tree head that somebody signs and keeps: the log's writer can show another log, but not with this signature.

The file is a *checkpoint* as transparency logs exchange it (C2SP: `tlog-checkpoint` and `signed-note`): origin, size
and root of the tree, a blank line, and one line a signature. Ed25519 (RFC 8032) signs the text above the blank line, so
any tool that knows it can check; `statement` and `signature` give both as `openssl pkeyutl -verify -rawin` wants them.

A signature says who saw this head, not that it is the newest: whoever verifies must know how old a head may be.
"""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from oakbank.governance.merkle import TreeHead
from oakbank.world.files import whole, write_text

ORIGIN = "oakbank.example/audit"
"""Which log it is, so that the head of another one does not pass for it."""
ED25519 = b"\x01"
"""The algorithm's number in a signed note."""
DASH = "\N{EM DASH}"


class HeadError(ValueError):
    """A head, signature or key that is none or does not fit; the message says what to do."""


def checkpoint(head: TreeHead, origin: str = ORIGIN) -> str:
    """Return a head as the three lines that are signed."""
    return f"{origin}\n{head.size}\n{base64.b64encode(bytes.fromhex(head.root)).decode()}\n"


def parse_checkpoint(text: str, origin: str = ORIGIN) -> TreeHead:
    """Return the head of a checkpoint's text.

    Raises:
        HeadError: It is none, or of another log.
    """
    try:
        found, size, root = text.splitlines()[:3]
        head = TreeHead(int(size), base64.b64decode(root, validate=True).hex())
    except ValueError:
        raise HeadError("this is no checkpoint: origin, size and root are wanted, a line each") from None
    if found != origin:
        raise HeadError(f"this head is of the log {found!r}, not of {origin!r}: ask for the right one")
    if checkpoint(head, origin) != text or len(head.root) != 64:  # one spelling only
        raise HeadError("this is no checkpoint: write it with `checkpoint`")
    return head


def sign(note: str, name: str, key: Ed25519PrivateKey) -> str:
    """Add a signature to a checkpoint, or to one that others have signed.

    Args:
        note: The text of `checkpoint`, or what `sign` returned.
        name: Who signs; without spaces or "+".
        key: Theirs.

    Raises:
        HeadError: The name will not do.
    """
    if not name or "+" in name or any(letter.isspace() for letter in name):
        raise HeadError(f"a signer's name has no spaces and no '+', unlike {name!r}")
    text, _, signatures = note.partition("\n\n")
    text = text.removesuffix("\n") + "\n"
    made = key_id(name, key.public_key()) + key.sign(text.encode())
    return f"{text}\n{signatures}{DASH} {name} {base64.b64encode(made).decode()}\n"


def signature(note: str, name: str, key: Ed25519PublicKey) -> bytes:
    """Return the 64 bytes by which this key signed the note, once they were checked.

    Raises:
        HeadError: This key did not sign it.
    """
    begin = f"{DASH} {name} "
    *lines, rest = note.partition("\n\n")[2].split("\n")
    for line in lines:
        if rest or not line.startswith(begin):
            continue
        given = line.removeprefix(begin)
        try:
            made = base64.b64decode(given, validate=True)
            key.verify(made[4:], statement(note))
        except (ValueError, InvalidSignature):
            continue
        if made[:4] == key_id(name, key) and base64.b64encode(made).decode() == given:  # one spelling only
            return made[4:]
    raise HeadError(f"this head has no valid signature of {name}: do not trust it")


def statement(note: str) -> bytes:
    """Return the bytes that a note's signatures cover."""
    return (note.partition("\n\n")[0] + "\n").encode()


def signed_head(note: str, name: str, key: Ed25519PublicKey, origin: str = ORIGIN) -> TreeHead:
    """Return the head that this signer has signed, for `AuditLog.verify`.

    Raises:
        HeadError: It is not signed by that key, no head, or of another log.
    """
    signature(note, name, key)
    return parse_checkpoint(statement(note).decode(), origin)


def key_id(name: str, key: Ed25519PublicKey) -> bytes:
    """Return the four bytes by which a signed note names a key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + key.public_bytes_raw()).digest()[:4]


def save_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Write a private key (PKCS#8, PEM) that only its owner may read, whole, and before it the public one as `.pub`.

    Raises:
        HeadError: There is a key already: what it has signed would no longer verify.
    """
    if path.exists():
        raise HeadError(f"there is a key in {path}: move it away first, or use it")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    write_text(path.with_name(path.name + ".pub"), public.decode())
    with whole(path, mode=0o600) as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def load_private(path: Path) -> Ed25519PrivateKey:
    """Read a private key. Raises HeadError (it is none of Ed25519), OSError."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise HeadError(f"{path} has no private Ed25519 key: make one with `save_key`")
    return key


def load_public(path: Path) -> Ed25519PublicKey:
    """Read a public key. Raises HeadError (it is none of Ed25519), OSError."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise HeadError(f"{path} has no public Ed25519 key: ask its owner for the file that ends in .pub")
    return key


def openssl() -> dict[str, str] | None:
    """Return the version of OpenSSL, as `course.lesson.recorded` wants it; None: there is none from version 3 on."""
    said = ""
    if shutil.which("openssl"):
        done = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True)  # noqa: S607
        said = done.stdout
    name, _, version = said.partition(" ")
    if name != "OpenSSL" or version[:2] in ("0.", "1."):
        print(
            "No OpenSSL 3 on this machine (on Debian and Ubuntu: apt install openssl; on a Mac: brew install openssl)."
        )
        return None
    return {name: version.split()[0]}
