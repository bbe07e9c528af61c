"""Sign and verify a release with model-signing and a key: who made it, and that no byte has changed since.

What a signature does not cover can be changed under it, so a release is signed as a folder: the model, the threshold it
decides by and its card. A signature says nothing of what the model does.
"""

import base64
import binascii
import json
from collections.abc import Collection
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from model_signing import hashing, signing, verifying

from oakbank.world.files import whole

RELEASE: Final = ("card.md", "model.txt", "policy.json")
"""What a release of Oakbank has at least: its card, the model, and the threshold it decides by."""


class SignatureError(RuntimeError):
    """A release that cannot be signed, or whose signature says nothing about it."""


def write_keys(private: Path) -> Path:
    """Make a key on the curve P-256: the private one, which only its owner may read, and the public one as `.pub`.

    Returns:
        The path of the public key.

    Raises:
        SignatureError: There is a key already: what it has signed would no longer verify.
    """
    if private.exists():
        raise SignatureError(f"there is a key in {private}: move it away first, or use it")
    key, public = generate_private_key(SECP256R1()), private.with_name(private.name + ".pub")
    with whole(public) as stream:
        stream.write(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with whole(private, mode=0o600) as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return public


def sign_release(folder: Path, private: Path, signature: Path, required: Collection[str] = RELEASE) -> None:
    """Sign all files of a folder.

    Args:
        folder: The release. Files of git in it (`.gitattributes`) are signed too, which model-signing would leave out.
        private: A key of `write_keys`.
        signature: Where to write the signature; not in the folder.
        required: Files without which it is no release.

    Raises:
        SignatureError: A file is missing, a link is among them, or the key is none.
    """
    if missing := sorted(name for name in required if not (folder / name).is_file()):
        raise SignatureError(f"{folder} lacks {', '.join(missing)}: a signature would not cover it")
    if signature.resolve().is_relative_to(folder.resolve()):
        raise SignatureError(f"write the signature beside {folder}: in it, it would have to sign itself")
    try:
        signer = signing.Config().use_elliptic_key_signer(private_key=private)  # type: ignore[no-untyped-call]
        signer.set_hashing_config(_all_files()).sign(folder, signature)
    except (OSError, ValueError, TypeError) as error:
        raise SignatureError(f"{folder} cannot be signed: {error}") from error


def verify_release(folder: Path, public: Path, signature: Path, required: Collection[str] = RELEASE) -> dict[str, str]:
    """Check that a folder is, file for file, what the owner of a key signed.

    Args:
        folder: The release.
        public: The key that the bank trusts. It comes from the bank, never from the release.
        signature: What came with the release.
        required: Files that the signature must cover.

    Returns:
        The sha256 of each file that is covered, by its path in the folder.

    Raises:
        SignatureError: A byte, a file or the key is another one, or a file is not covered.
    """
    try:
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=public)  # type: ignore[no-untyped-call]
        verifier.set_hashing_config(_all_files()).verify(folder, signature)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise SignatureError(f"{folder} is not what was signed: {error}") from error
    covered = signed_files(signature)
    # A signature may name paths that its check leaves out (`ignore_paths`); model-signing obeys.
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    if bare := sorted((there | set(required)) - set(covered)):
        raise SignatureError(f"{', '.join(bare)} in {folder} is not covered by the signature: sign the whole folder")
    return covered


def signed_files(signature: Path) -> dict[str, str]:
    """Return what a signature speaks of: the digest of each file, by name. Nothing is verified.

    Raises:
        SignatureError: It is no signature of model-signing.
    """
    try:
        bundle = json.loads(signature.read_text(encoding="utf-8"))
        statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
        return {str(one["name"]): str(one["digest"]) for one in statement["predicate"]["resources"]}
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
        raise SignatureError(f"{signature} is no signature of model-signing: {error}") from error


def _all_files() -> hashing.Config:
    config = hashing.Config()  # type: ignore[no-untyped-call]
    return config.set_ignored_paths(paths=[], ignore_git_paths=False)
