"""Where a server that is started for a while may listen."""

import socket


def free_port() -> int:
    """Return a port of this machine on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
