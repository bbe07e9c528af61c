# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "kserve", "setuptools<81",
#     "duckdb", "fastapi", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml",
#     "scikit-learn",
# ]
# ///
"""Tour of KServe: the model server of its Python SDK, asked by a client of the Open Inference Protocol.

    python3 bootstrap.py tour kserve

No cluster: the server is the one that runs in the container of an InferenceService.
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

from serving import agreements, clean, in_new_process, prepare, served  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.deploy.protocols import V2  # noqa: E402


def solve(model: Path) -> str:
    """Serve the model with `kserve.ModelServer`, and ask it by V2."""
    with served("kserve_server.py", model, V2) as address:
        return clean(agreements(address, model, V2))


def main() -> None:
    """Run the tour."""
    tour = Tour("KServe", "kserve", "lightgbm")
    with FOLDER as home:
        model = prepare(Path(home))
        tour.plain("a new process that scores them", lambda: in_new_process(model))
        tour.say(tour.system_does(lambda: solve(model)))
    tour.say("present name: KServe (until 2021 KFServing); a project of the CNCF, no part of Kubeflow (November 2026)")
    tour.end(
        stores="nothing itself: an InferenceService is a Kubernetes object, the model lies in a bucket or a volume",
        asks="a cluster with KServe's controller, an ingress, an image with your class; YAML for each model",
        not_proven="no InferenceService was created: no scaling, no canary by percent, no transformer, no download",
        real=(
            "docker build -t REGISTRY/credit . && docker push REGISTRY/credit  # kserve_server.py and its packages",
            "kubectl apply -f inference-service.yml  # kind: InferenceService, predictor with this image",
            "kubectl get inferenceservice credit  # READY, and its URL",
            "kubectl patch inferenceservice credit --type merge "
            """-p '{"spec":{"predictor":{"canaryTrafficPercent":10}}}'""",
            'curl -X POST "$URL/v2/models/credit/infer" --json @request.json  # the body that this tour sent',
        ),
    )


if __name__ == "__main__":
    main()
