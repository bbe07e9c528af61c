"""Files that are written whole or not at all, and files that are put aside and never written over."""

import filecmp
import os
import tempfile
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old file or the whole new one, also after a kill or a full disk.

    Raises `OSError` (the old file stays, no temporary file is left).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def put_aside(path: Path, root: Path, kept: Path) -> Path:
    """Move a file to a free name in `kept`, in the folder that it has in `root`; returns where it is."""
    name = path.relative_to(root)
    for number in range(1, 10_000):
        target = kept / name.parent / f"{name.stem}-{number}{name.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)  # fails where there is one already
        except FileExistsError:
            continue
        except OSError:  # no links on this file system
            if target.exists():
                continue
            path.replace(target)
            return target
        path.unlink()
        return target
    raise OSError(f"there is no free name for {path} in {kept}")


def keep_copy(path: Path, target: Path) -> Path:
    """Copy a file to `target`, or to the next free number of it; what is kept there already is not copied again.

    Args:
        path: The file; it stays where it is.
        target: Where its copy goes, but for the number: `a/b.ipynb` becomes `a/b-1.ipynb`, `a/b-2.ipynb`…

    Returns:
        Where the copy is. Two processes must not do this at once.
    """
    number = 1
    while (copy := target.with_name(f"{target.stem}-{number}{target.suffix}")).exists():
        if filecmp.cmp(path, copy, shallow=False):
            return copy
        number += 1
    write_bytes(copy, path.read_bytes())
    return copy
