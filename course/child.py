"""How this course starts Python: nothing in the shell or the working directory changes what its code means."""

import contextlib
import os
import sys
from collections.abc import Iterator

_KEPT = ("PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH")


def python(*arguments: str) -> list[str]:
    """Return a command of this Python that imports nothing from the working directory."""
    return [sys.executable, "-P", *arguments]


def plain_environment() -> dict[str, str]:
    """Return this process's variables without those that change Python, and text in UTF-8 whatever the locale.

    PYTHONOPTIMIZE takes the asserts out of tests, PYTHONPATH puts other modules in the place of ours.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") or name in _KEPT}
    return {**plain, "PYTHONUTF8": "1"}


@contextlib.contextmanager
def safe_path() -> Iterator[None]:
    """Within the block, no Python that a library starts imports from the working directory."""
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONSAFEPATH"]
        else:
            os.environ["PYTHONSAFEPATH"] = before


def be_plain() -> None:
    """Give this process, and so all that it starts, the plain environment; go on in UTF-8 if it reads names otherwise.

    A name of a file that is not ASCII would be another text, and so another student, under another locale.
    """
    plain, told = plain_environment(), os.environ.get("PYTHONUTF8") == "1"
    for name in os.environ.keys() - plain.keys():
        del os.environ[name]
    os.environ.update(plain)
    if sys.platform != "win32" and not told and sys.getfilesystemencoding().lower() != "utf-8":
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
