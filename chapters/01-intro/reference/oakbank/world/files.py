"""Files that are there whole or not at all, the hash of one, and the URL of one that is a database."""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote


@contextlib.contextmanager
def whole(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a file for writing so that readers see the old one or the whole new one, also after a kill or a full disk.

    The new file takes its place when the block ends; if the block raises, the old one stays and nothing else is left.
    A kill can leave a hidden `.tmp` file beside it, which no reader looks at.

    Args:
        path: The file.
        mode: Who may read and write it, less the process's umask, from the first byte on.

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not `tempfile`: its files are for their owner's eyes only, and a service under another user reads these.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all (see `whole`), UTF-8 with Unix line ends."""
    with whole(path) as stream:
        stream.write(text.encode())


def write_json(path: Path, value: object) -> None:
    """Write JSON with sorted keys, whole or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def write_measured(path: Path, libraries: Iterable[str], **found: Any) -> None:
    """Keep what was measured, as JSON of short lines that differ well, with the day and the versions of libraries."""
    about = {"date": date.today().isoformat(), "versions": {name: version(name) for name in libraries}}
    write_text(path, json.dumps(about | found, indent=0) + "\n")


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sqlite_url(path: Path) -> str:
    """Return the URL of an SQLite file as SQLAlchemy and MLflow read it, whatever its folders are called.

    `?` starts a URL's settings and `%` a letter in code. The driver is named where one of them is in the path, because
    MLflow takes `sqlite:///` off and makes the folders of the rest as it stands.
    """
    plain = path.resolve().as_posix()
    address = quote(plain, safe="/:") if set("%?") & set(plain) else plain
    return f"{'sqlite' if address == plain else 'sqlite+pysqlite'}:///{address}"
