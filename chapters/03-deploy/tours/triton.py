# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#     "nvidia-pytriton", "setuptools<81",
#     "duckdb", "fastapi", "filelock", "lightgbm", "numpy<2", "pandas<3", "pyarrow<21", "pydantic", "pyyaml",
#     "scikit-learn",
# ]
# ///
"""Tour of Triton: NVIDIA's server with a Python function behind it, asked by the client that asked KServe.

    python3 bootstrap.py tour triton

No GPU: PyTriton brings the server as a wheel for Linux, and it runs on the processor.
"""

import os
import sys
import tempfile
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what a tool would put into your home too
os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

from serving import agreements, clean, in_new_process, prepare, served, told  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.deploy.protocols import V2  # noqa: E402


def solve(model: Path) -> str:
    """Bind the model to Triton, and ask it by V2; then without a line that turns bytes into text."""
    with served("triton_server.py", model, V2) as address:
        found = clean(agreements(address, model, V2))
    with served("triton_server.py", model, V2, "--keep-bytes") as address:
        kept = told(agreements(address, model, V2))
    return f"{found}\nthe same function without the line that decodes text, {kept}"


def main() -> None:
    """Run the tour."""
    tour = Tour("Triton", "nvidia-pytriton", "tritonclient", "lightgbm")
    with FOLDER as home:
        model = prepare(Path(home))
        tour.plain("a new process that scores them", lambda: in_new_process(model))
        tour.say(tour.system_does(lambda: solve(model)))
    tour.say("present name: NVIDIA Triton Inference Server; in front of it may stand NVIDIA Dynamo (November 2026)")
    tour.end(
        stores="nothing: a model repository (a folder or bucket) holds models, versions and their settings",
        asks="a type and a shape for each tensor, in `config.pbtxt` or in code; text is bytes; numbers have no gaps",
        not_proven="no GPU, no dynamic batching, no ensemble; the wheel's server is older than NVIDIA's image",
        real=(
            "mkdir -p models/credit/1 && cp model.py models/credit/1/  # and models/credit/config.pbtxt",
            "docker run --gpus all -p 8000:8000 -v $PWD/models:/models nvcr.io/nvidia/tritonserver:VERSION-py3 "
            "tritonserver --model-repository=/models",
            "curl http://HOST:8000/v2/models/credit/config  # types and shapes that it expects",
            "perf_analyzer -m credit -u HOST:8000 --concurrency-range 1:64",
            'curl "http://HOST:8000/v2/models/credit/infer" --json @request.json  # the body that this tour sent',
        ),
    )


if __name__ == "__main__":
    main()
