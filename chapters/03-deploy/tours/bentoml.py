# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "bentoml", "setuptools<81",
#     "duckdb", "fastapi", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml",
#     "scikit-learn",
# ]
# ///
"""Tour of BentoML: a service class with typed arguments, asked for 20,000 applications.

    python3 bootstrap.py tour bentoml

No account: `bentoml serve` runs the service on this machine.
"""

import os
import sys
import tempfile
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what a tool would put into your home too
os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name, "BENTOML_HOME": FOLDER.name}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

from serving import agreements, clean, in_new_process, prepare, served  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.deploy.protocols import BENTOML  # noqa: E402


def solve(model: Path) -> str:
    """Serve the model with `bentoml serve`, and count the decisions that differ."""
    with served("bento_service.py", model, BENTOML) as address:
        return clean(agreements(address, model, BENTOML))


def main() -> None:
    """Run the tour."""
    tour = Tour("BentoML", "bentoml", "lightgbm")
    with FOLDER as home:
        model = prepare(Path(home))
        tour.plain("a new process that scores them", lambda: in_new_process(model))
        tour.say(tour.system_does(lambda: solve(model)))
    tour.say("present name: BentoML 1.4; its cloud is BentoCloud, of Bento Inc. (as of November 2026)")
    tour.end(
        stores="Bentos (code, model, packages, settings) by version in a folder, at BentoCloud if you push them",
        asks="a class with typed methods; data frames in and out, whose columns are yours to check",
        not_proven="no Bento was built or put into an image, nothing ran in BentoCloud, no batching across requests",
        real=(
            "bentoml build  # reads bentofile.yaml or the class's own image settings",
            "bentoml containerize credit:latest  # an image for any cluster",
            "bentoml cloud login --api-token TOKEN",
            "bentoml deploy credit:latest --scaling-min 1 --scaling-max 3",
            "bentoml deployment list  # its address, its state",
        ),
    )


if __name__ == "__main__":
    main()
