"""AWS as moto emulates it, in this process: no account, no network, and nobody's real credentials.

moto keeps what the API is told and answers in the API's words. It is not AWS: among other things it asks nobody for
permission, so an IAM policy is stored and not enforced.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from moto.server import ThreadedMotoServer

REGION = "eu-central-1"
_FOREIGN = ("AWS_", "BOTO_", "TF_")  # another project's accounts and variables


def work_as_nobody(host: str, port: int) -> None:
    """Send this process's AWS clients, and those of the programs that it starts, to an emulator.

    Every other `AWS_` and `TF_` variable goes, and the files with real keys are not read: a mistake costs nothing.

    Args:
        host: Where the emulator listens, such as `127.0.0.1`.
        port: Its port.
    """
    for name in [name for name in os.environ if name.startswith(_FOREIGN)]:
        del os.environ[name]
    without_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY"), host]))
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://{host}:{port}",
        AWS_ACCESS_KEY_ID="nobody",
        AWS_SECRET_ACCESS_KEY="nothing",  # noqa: S106
        AWS_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        TF_CLI_ARGS="-no-color",
        NO_PROXY=without_proxy,
        no_proxy=without_proxy,
    )
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # not a line for each request


@contextmanager
def emulated() -> Iterator[None]:
    """Within the block, AWS is an empty emulator on a free port; afterwards the environment is as before."""
    before = dict(os.environ)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        work_as_nobody(*server.get_host_and_port())
        # What moto keeps belongs to the process, not to the server: an earlier block's would still be there.
        with urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset", data=b""):  # noqa: S310
            pass
        yield
    finally:
        server.stop()
        os.environ.clear()
        os.environ.update(before)
