"""Steps over files: content hashes, resume, retries, and results that are there whole or not at all."""

import errno
import hashlib
import json
import logging
import secrets
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from oakbank.world.files import file_hash, write_json

LIBRARIES = ("duckdb", "lightgbm", "numpy", "optuna", "pandas", "pyarrow", "scikit-learn")
"""A new version of one of these can change the bytes of a result, so it is part of a step's key."""
FIRST_WAIT = 0.5
"""Seconds before the first retry; each further wait is twice the one before."""
_SAME_AGAIN = (FileNotFoundError, FileExistsError, IsADirectoryError, NotADirectoryError, PermissionError)
_NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC))

log = logging.getLogger(__name__)


class PipelineBusyError(RuntimeError):
    """Another process works in the same folder, or on the files that a step reads."""


def input_hashes(inputs: Mapping[str, Path | Sequence[Path]]) -> dict[str, str | list[str]]:
    """Return the sha256 of each input's bytes, in its role; of several files, in their order."""
    return {
        argument: file_hash(value) if isinstance(value, Path) else [file_hash(path) for path in value]
        for argument, value in inputs.items()
    }


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"  # a step that needs it says so itself; the others do not


def code_hash() -> str:
    """Return the sha256 of this package's source and the world's: what "the code" of a training run is."""
    import oakbank.world

    digest = hashlib.sha256()
    for folder in (Path(__file__).parent, Path(oakbank.world.__file__).parent):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def folder_lock(folder: Path) -> FileLock:
    """Return a held lock on a folder; use it as a context manager. The system frees it when the process dies.

    Raises:
        PipelineBusyError: Another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise PipelineBusyError(f"another run is working in {folder}: wait for it, or choose another folder") from None
    return lock


def is_transient(error: BaseException) -> bool:
    """Return whether the same call may well succeed in a moment: a fault of disk or network, not of the data.

    A `LakeError`, `ValueError` or `ModelError` says the same the second time, and so do a missing file, a refused
    permission and a full disk.
    """
    return isinstance(error, OSError) and not isinstance(error, _SAME_AGAIN) and error.errno not in _NO_ROOM


class Steps:
    """Runs steps in a folder and remembers, by content, what is done.

    A step's key is the hash of its name, the code, the versions of the libraries that compute, its parameters and
    the bytes of its inputs. A step whose key and outputs are as recorded is not run again; anything else is run
    into a temporary folder that takes its final name only when the step has ended. So a kill at any moment costs
    the running step, no more. One process at a time: hold `folder_lock`.

    Args:
        folder: Where the steps' folders are kept.
        sleep: Called with seconds before a retry; tests pass their own.
    """

    def __init__(self, folder: str | Path, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self.folder = Path(folder)
        self.sleep = sleep
        self.code = code_hash()
        self.libraries = {name: _version(name) for name in LIBRARIES}
        self.ran: list[str] = []
        """Names of the steps that really ran, in order; those found done are not in it."""

    def run(
        self,
        name: str,
        function: Callable[..., None],
        *,
        inputs: Mapping[str, Path | Sequence[Path]],
        outputs: Mapping[str, str],
        params: Mapping[str, Any],
        retries: int = 0,
    ) -> dict[str, Path]:
        """Run `function(**inputs, **outputs, **params)` unless it is done; returns the output paths.

        Args:
            name: Name of the step, and of its folder.
            function: Reads the input paths and writes the output paths.
            inputs: Paths (or lists of them) by argument name.
            outputs: File names by argument name.
            params: JSON-able arguments.
            retries: How often to try again after a transient fault (see `is_transient`). Each is logged as a
                warning, and each attempt starts in an empty folder.

        Raises:
            PipelineBusyError: An input changed while the step ran, so its result belongs to no known input.
        """
        target = self.folder / name
        for attempt in range(retries + 1):
            try:
                for stale in self.folder.glob(f".{name}.*.tmp"):  # what a kill left behind
                    stale.unlink() if stale.is_file() else shutil.rmtree(stale)
                key = self.key(name, inputs, params)
                result = {argument: target / file for argument, file in outputs.items()}
                if not self._done(target, key, result):
                    self.make(name, key, function, inputs, outputs, params)
                    self.ran.append(name)
                return result
            except OSError as error:
                if attempt == retries or not is_transient(error):
                    raise
                wait = FIRST_WAIT * 2**attempt
                log.warning("step %s: %s; retry %d of %d in %g s", name, error, attempt + 1, retries, wait)
                self.sleep(wait)
        raise ValueError(f"retries must be 0 or more, not {retries}")

    def make(
        self,
        name: str,
        key: str,
        function: Callable[..., None],
        inputs: Mapping[str, Path | Sequence[Path]],
        outputs: Mapping[str, str],
        params: Mapping[str, Any],
    ) -> None:
        """Run the function into a hidden folder, and let that take the place of the step's old one."""
        target = self.folder / name
        work, old = (self.folder / f".{name}.{secrets.token_hex(8)}.tmp" for _ in range(2))
        work.mkdir(parents=True)
        try:
            function(**inputs, **{argument: work / file for argument, file in outputs.items()}, **params)
            hashes = {argument: file_hash(work / file) for argument, file in outputs.items()}
            if self.key(name, inputs, params) != key:
                raise PipelineBusyError(f"an input of {name} was changed while the step read it: run again")
            write_json(work / "step.json", {"key": key, "outputs": hashes})
            if target.exists():
                target.rename(old)
            work.rename(target)
        except BaseException as error:
            if old.exists() and not target.exists():
                old.rename(target)
            shutil.rmtree(work, ignore_errors=True)
            error.add_note(f"step {name} in {self.folder} did not end; what was there before is still there")
            raise
        shutil.rmtree(old, ignore_errors=True)

    def key(self, name: str, inputs: Mapping[str, Path | Sequence[Path]], params: Mapping[str, Any]) -> str:
        """Return the hash of all that a step's result depends on: code, libraries, inputs and parameters."""
        content = json.dumps([name, self.code, self.libraries, input_hashes(inputs), dict(params)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @staticmethod
    def _done(target: Path, key: str, result: Mapping[str, Path]) -> bool:
        try:
            saved = json.loads((target / "step.json").read_bytes())
            recorded = saved["outputs"] if saved["key"] == key else {}
        except (FileNotFoundError, NotADirectoryError, ValueError, LookupError, TypeError):
            return False  # no record, or a damaged one: the step runs again
        return bool(recorded) and all(
            path.is_file() and file_hash(path) == recorded.get(argument) for argument, path in result.items()
        )
