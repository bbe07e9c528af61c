"""Run a command with the network cut off: a network namespace of its own in which only loopback exists.

Linux only. Servers on 127.0.0.1 work inside; everything else answers "network is unreachable". Sockets that are files
(a container engine's, say) still reach their server, and what that server does is not cut off.

`python -m base.offline -- COMMAND...` is the part that runs inside: it brings loopback up, then becomes COMMAND.
"""

import errno
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from functools import cache

from base.process import python

if sys.platform == "linux":
    import fcntl

_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1  # linux/sockios.h, linux/if.h
# Addresses kept for documentation: connecting a datagram socket sends nothing, it only asks for a route.
_OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_UNREACHABLE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EHOSTUNREACH)


def has_network() -> bool:
    """Return whether this process has a route to anywhere but its own machine."""
    for family, address in _OUTSIDE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((address, 9))
        except OSError as error:
            if error.errno not in _UNREACHABLE:
                raise
        else:
            return True
    return False


@cache
def _probe() -> tuple[list[str], str]:
    """Return the command that goes in front and cuts off the network, or nothing and the reason why not."""
    if sys.platform != "linux":
        return [], "cutting off the network needs Linux (network namespaces)"
    if shutil.which("unshare") is None:
        return [], "cutting off the network needs the command `unshare` (Debian: package util-linux)"
    said = ""
    # Someone who may not make a network namespace needs a user namespace as well, in which to be root over it.
    for user in ([], ["--user", "--map-root-user"]):
        front = ["unshare", *user, "--net", *python("-m", "base.offline", "--")]
        probe = subprocess.run([*front, *python("-c", "")], capture_output=True, text=True)  # noqa: S603
        if probe.returncode == 0:
            return front, ""
        said = (probe.stderr.strip().splitlines() or ["no reason given"])[-1]
    return [], f"this machine does not allow network namespaces ({said}); root may be allowed to make one"


def why_not() -> str | None:
    """Return why the network cannot be cut off on this machine, in one sentence, or None if it can."""
    return _probe()[1] or None


def offline_command(argv: Sequence[str]) -> list[str] | None:
    """Return the command that runs `argv` with the network cut off, or None where that cannot be (see `why_not`)."""
    front, _ = _probe()
    return [*front, *argv] if front else None


def loopback_up() -> None:
    """Bring up the loopback of a network namespace that has nothing else (Linux)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))


def main(argv: Sequence[str]) -> None:
    """Bring loopback up and become the command after `--`."""
    if len(argv) < 2 or argv[0] != "--":
        raise SystemExit("usage: python -m base.offline -- COMMAND [ARGUMENT...]")
    loopback_up()
    os.execvp(argv[1], list(argv[1:]))  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
