"""What the tests of the whole repository share: which files belong to it."""

import subprocess
from pathlib import Path

import pathspec

from authoring.repository import ROOT


def files(root: Path = ROOT) -> list[Path]:
    """Return the files of the repository, tracked or about to be, relative to its root, sorted.

    In a folder without `.git`, as a zip brings it: all but what `.gitignore` names.
    """
    if not (root / ".git").exists():
        ignored = pathspec.GitIgnoreSpec.from_lines((root / ".gitignore").read_text(encoding="utf-8").splitlines())
        return sorted(Path(name) for name in ignored.match_tree_files(root, negate=True))
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = {name for name in listing.split("\0") if name}
    return sorted(Path(name) for name in names if (root / name).is_file())


def text_of(path: Path) -> str:
    """Return a file's text, or nothing where it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
