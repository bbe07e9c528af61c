"""Frames between processes: a kind (one letter) and a body (bytes) over a Unix socket, with file descriptors."""

import socket
import struct
import time
from collections.abc import Iterable, Mapping
from typing import Self

_HEAD = struct.Struct("!QB")  # length of a frame's body, its kind
MOST_FDS = 4


class ClosedError(Exception):
    """The other end of a channel is gone."""


class TooLargeError(Exception):
    """A frame is larger than its reader wants."""


class Channel:
    """Frames over a Unix socket: a kind (one letter) and a body (bytes); file descriptors may go with one.

    Args:
        connection: The socket; the channel owns it.
        most: Largest body that is accepted, bytes.
        most_of: The same for single kinds of frames.
    """

    def __init__(
        self, connection: socket.socket, most: int = 1 << 30, most_of: Mapping[str, int] | None = None
    ) -> None:
        self.connection, self.most, self.most_of = connection, most, most_of or {}

    def fileno(self) -> int:
        """Return the socket's descriptor, for `select`."""
        return self.connection.fileno()

    def send(self, kind: str, body: bytes = b"", fds: Iterable[int] = ()) -> None:
        """Send one frame. Raises `ClosedError`, and `TimeoutError` if the socket has a timeout and nobody reads."""
        head = _HEAD.pack(len(body), ord(kind))
        try:
            if fds := list(fds):
                socket.send_fds(self.connection, [head], fds)
                self.connection.sendall(body)
            else:
                self.connection.sendall(head + body if len(body) < 1 << 16 else head)
                if len(body) >= 1 << 16:
                    self.connection.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            raise ClosedError from None

    def receive(self, until: float | None = None) -> tuple[str, bytes, list[int]]:
        """Wait for one frame; returns its kind, body and descriptors.

        Args:
            until: When the whole of it has to be here (monotonic clock), however slowly its bytes come; without one the
                socket's own timeout holds, for each piece.

        Raises:
            ClosedError: There will be no more.
            TooLargeError: The body would be larger than `most`, or what `most_of` says of its kind.
            TimeoutError: It is not here in time.
        """
        own = self.connection.gettimeout()
        try:
            return self._frame(until)
        except ConnectionResetError:
            raise ClosedError from None
        finally:
            if until is not None:
                self.connection.settimeout(own)

    def _frame(self, until: float | None) -> tuple[str, bytes, list[int]]:
        self._wait_until(until)
        head, fds, _, _ = socket.recv_fds(self.connection, _HEAD.size, MOST_FDS)
        if not head:
            raise ClosedError
        head += self._exactly(_HEAD.size - len(head), until)
        length, kind = _HEAD.unpack(head)
        if length > self.most_of.get(chr(kind), self.most):
            raise TooLargeError(f"{length} bytes")
        return chr(kind), self._exactly(length, until), fds

    def _wait_until(self, until: float | None) -> None:
        if until is None:
            return
        if (left := until - time.monotonic()) <= 0:
            raise TimeoutError
        self.connection.settimeout(left)

    def _exactly(self, length: int, until: float | None) -> bytes:
        whole = bytearray()
        while len(whole) < length:
            self._wait_until(until)
            if not (piece := self.connection.recv(min(length - len(whole), 1 << 20))):
                raise ClosedError
            whole += piece
        return bytes(whole)

    def close(self) -> None:
        """Close the socket."""
        self.connection.close()


def pair(most: int = 1 << 30, most_of: Mapping[str, int] | None = None) -> tuple[Channel, socket.socket]:
    """Return a channel and the bare other end, which a child gets."""
    ours, theirs = socket.socketpair()
    return Channel(ours, most, most_of), theirs


class Closing:
    """What has a `close` and is closed when its block ends."""

    def close(self) -> None:
        """End it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
