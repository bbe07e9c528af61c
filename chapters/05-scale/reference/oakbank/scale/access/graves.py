"""Where a known secret still is: files, every object of a git repository, and the processes of this machine."""

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil

SHORTEST = 8
"""Characters of a secret: a shorter one is found everywhere by chance."""


@dataclass(frozen=True, order=True)
class Grave:
    """A place that holds the secret. The secret itself is not repeated."""

    place: str
    where: str
    spelling: str


def spellings(secret: str) -> dict[str, list[bytes]]:
    """Return how a secret may stand somewhere: plain, as in JSON or a URL, in base64 or UTF-16.

    Raises:
        ValueError: It is too short to be looked for.
    """
    if len(secret) < SHORTEST:
        raise ValueError(f"a secret of fewer than {SHORTEST} characters is found everywhere")
    plain = secret.encode()
    inside = [_in_base64(plain, before) for before in range(3)]
    other = {quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()} - {plain}
    return {
        "plain": [plain],
        "escaped": sorted(other),
        "base64": inside + [each.translate(bytes.maketrans(b"+/", b"-_")) for each in inside],
        "UTF-16": [secret.encode("utf-16-le")],
    }


def _in_base64(plain: bytes, before: int) -> bytes:
    # Base64 turns 3 bytes into 4 characters, so a secret within a text has three spellings, less what neighbours share.
    coded = base64.b64encode(bytes(before) + plain)
    return coded[(before * 8 + 5) // 6 : (before + len(plain)) * 8 // 6]


def spelling(content: bytes, secret: str) -> str:
    """Return in which spelling some content holds a secret; "": it does not."""
    told = spellings(secret).items()
    return next((name for name, forms in told if any(form in content for form in forms)), "")


def search(
    secret: str, folder: str | Path, pids: Sequence[int] = (), environment: Mapping[str, str] | None = None
) -> list[Grave]:
    """Return where a secret is, in order. What is compressed or encrypted is not looked into, but for git's objects.

    Args:
        secret: What to look for.
        folder: All files below it, and the git repository that it may be.
        pids: Processes of ours.
        environment: For git, what `course.lesson.own_git(home, date)` makes; None: this process's own.

    Raises:
        ValueError: The secret is too short, or the folder is not there.
        psutil.Error: A process is gone, or not ours.
    """
    spellings(secret)
    root = Path(folder)
    if not root.is_dir():
        raise ValueError(f"there is no folder {root}")
    seen = [*_files(root), *(_objects(root, environment) if (root / ".git").exists() else ()), *_processes(pids)]
    told = [(place, where, spelling(content, secret)) for place, where, content in seen]
    return sorted(Grave(place, where, form) for place, where, form in told if form)


Seen = Iterator[tuple[str, str, bytes]]


def _files(root: Path) -> Seen:
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.is_file() and name.parts[0] != ".git":
            yield "file", name.as_posix(), path.read_bytes()


def _objects(root: Path, environment: Mapping[str, str] | None) -> Seen:
    """Give all objects, also those that no branch reaches any more."""
    git = ["git", "-C", str(root), "cat-file"]
    listing = [*git, "--batch-all-objects", "--batch-check=%(objectname)"]
    names = subprocess.run(listing, capture_output=True, check=True, env=environment).stdout  # noqa: S603
    told = subprocess.run(  # noqa: S603
        [*git, "--batch"], input=names, capture_output=True, check=True, env=environment
    ).stdout
    while told:
        head, _, rest = told.partition(b"\n")
        name, kind, size = head.decode().split()
        yield "git", f"{kind} {name[:10]}", rest[: int(size)]
        told = rest[int(size) + 1 :]


def _processes(pids: Sequence[int]) -> Seen:
    for pid in pids:
        process = psutil.Process(pid)
        variables = "\0".join(f"{name}={value}" for name, value in process.environ().items())
        yield "environment", f"process {pid}", variables.encode()
        yield "arguments", f"process {pid}", "\0".join(process.cmdline()).encode()
