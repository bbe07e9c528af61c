"""What is seen inside: a root made of the folders that are shown, read-only, and one place to write."""

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.linux import AT_RECURSIVE, MS_BIND, MS_REC, NOBODY, SHM_MB, TMP, is_there, mount, seal, tmpfs

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix/store", "/sys/devices/system/cpu"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"),
    *("/etc/localtime", "/etc/timezone", "/etc/fonts", "/etc/mime.types"),
)
_ETC = {
    "passwd": f"root:x:0:0::/:/bin/sh\nnobody:x:{NOBODY}:{NOBODY}::{TMP}:/bin/sh\n",
    "group": f"root:x:0:\nnogroup:x:{NOBODY}:\n",
    "hosts": "127.0.0.1 localhost lab\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_BIND, _MASK, _GATE, _SCRATCH = "bind", "mask", "gate", "scratch"


def python_paths(skip: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Return what this Python and its libraries need to be read: system folders, installation, environment, `sys.path`.

    Entries of `sys.path` that are the working directory, or one of `skip` or /tmp or above these, are left out.
    """
    private = [TMP, *(Path(path).resolve() for path in skip)]
    fit = [
        entry
        for entry in sys.path
        if Path(entry).resolve() != Path.cwd() and not any(one.is_relative_to(Path(entry).resolve()) for one in private)
    ]
    prefixes = (sys.executable, sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    paths = dict.fromkeys(Path(entry) for entry in (*_SYSTEM, *prefixes, *fit))
    return tuple(path for path in paths if path.is_absolute() and is_there(path))


@dataclass(frozen=True)
class View:
    """What is seen inside.

    Attributes:
        readonly: Files and folders that are shown, at their own places; what does not exist is left out.
        hidden: Folders of which nothing is shown but what `readonly` names below them.
        scratch_mb: Size of /tmp, the one place to write.
        cwd: The working directory, below /tmp; it is made.
    """

    readonly: tuple[Path, ...]
    hidden: tuple[Path, ...] = ()
    scratch_mb: int = 256
    cwd: Path = TMP / "lab"


def _trail(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield each symbolic link on the way to an existing path with what it says; last the real path, with nothing."""
    done, ahead = Path("/"), list(path.parts[1:])
    while ahead:
        step = ahead.pop(0)
        if step == "..":
            done = done.parent
        elif (done / step).is_symlink():
            said = (done / step).readlink()
            yield done / step, str(said)
            done, ahead = Path("/") if said.is_absolute() else done, [*said.relative_to(said.anchor).parts, *ahead]
        else:
            done /= step
    yield done, ""


def plan(view: View) -> tuple[dict[Path, str], dict[Path, str]]:
    """Return what to mount where, outer places first, and the symbolic links to make."""
    trails = [list(_trail(path.absolute())) for path in view.readonly if is_there(path)]
    links = {place: said for trail in trails for place, said in trail[:-1]}
    masks = {path.resolve() for path in view.hidden if is_there(path)}
    binds = {trail[-1][0] for trail in trails} - masks
    # What is shown below /tmp gets a fixed mount at the top, which the owner of the scratch files cannot move away.
    gates = {TMP / place.parts[2] for place in binds if TMP in place.parents} - binds
    wanted = {TMP: _SCRATCH} | dict.fromkeys(binds, _BIND) | dict.fromkeys(masks, _MASK) | dict.fromkeys(gates, _GATE)
    mounts: dict[Path, str] = {}
    for place in sorted(wanted, key=lambda path: (len(path.parts), path)):
        over = _over(place, mounts)
        if (wanted[place], over == _BIND) not in ((_BIND, True), (_MASK, False)):  # shown already; hidden already
            mounts[place] = wanted[place]
    return mounts, {place: said for place, said in links.items() if _over(place, mounts) != _BIND}


def _over(place: Path, mounts: dict[Path, str]) -> str:
    """Return what kind of mount a place lies in; nothing for the root."""
    return next((mounts[above] for above in place.parents if above in mounts), "")


def build(root: Path, view: View) -> None:
    """Mount what a view shows below `root`, which may cover what is shown."""
    mounts, links = plan(view)
    sources = {place: os.open(place, os.O_PATH) for place, kind in mounts.items() if kind == _BIND}
    tmpfs(root, 4, 0o755)
    for place, kind in mounts.items():
        target = root / place.relative_to("/")
        if kind == _BIND and not stat.S_ISDIR(os.fstat(sources[place]).st_mode):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        else:
            target.mkdir(parents=True, exist_ok=True)
        if kind == _BIND:
            mount(f"/proc/self/fd/{sources[place]}", target, flags=MS_BIND | MS_REC)
            seal(target, AT_RECURSIVE)
            os.close(sources[place])
        else:
            tmpfs(target, view.scratch_mb if kind == _SCRATCH else 1, 0o1777 if kind == _SCRATCH else 0o755)
    for place, said in links.items():
        link = root / place.relative_to("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(said)
    for name in ("etc", "proc", "dev"):
        (root / name).mkdir(exist_ok=True)
    for name, text in _ETC.items():
        (root / "etc" / name).write_text(text)
    mount("/proc", root / "proc", flags=MS_BIND | MS_REC)  # without one in sight a new one is refused
    _devices(root / "dev")
    (root / view.cwd.relative_to("/")).mkdir(parents=True, exist_ok=True)
    for place in (root, *(root / place.relative_to("/") for place, kind in mounts.items() if kind in (_MASK, _GATE))):
        seal(place)


def _devices(dev: Path) -> None:
    for name in ("null", "zero", "full", "random", "urandom"):
        (dev / name).touch()
        mount(f"/dev/{name}", dev / name, flags=MS_BIND)
    for name, target in ("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2"):
        (dev / name).symlink_to(f"/proc/self/fd{target}")
    (dev / "shm").mkdir()
    tmpfs(dev / "shm", SHM_MB)
