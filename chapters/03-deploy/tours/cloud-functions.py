# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "functions-framework",
#     "duckdb", "filelock", "lightgbm", "numpy", "onnx", "onnxmltools", "onnxruntime", "pandas<3", "pyarrow",
#     "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of Cloud Functions: a function under Google's Functions Framework, which is what runs it at Google.

    python3 bootstrap.py tour cloud-functions

No account: the framework serves it on this machine.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what a client would put into your home too
os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

from scoring import Task, free_port, in_new_process, post, prepare, same, server  # noqa: E402

from course.tour import Tour  # noqa: E402

FUNCTION = ROOT / "chapters/03-deploy/tours/task/cloud_function.py"


def solve(task: Task, folder: Path) -> list[float]:
    """Serve the function, and send it the applications."""
    shutil.copy(FUNCTION, folder / "main.py")
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [str(Path(sys.executable).with_name("functions-framework")), "--target", "score"]
    command += ["--source", "main.py", "--host", "127.0.0.1", "--port", str(port)]
    with server(command, f"{address}/robots.txt", folder, os.environ):
        return list(post(address, {"rows": task.rows})["default_probabilities"])


def main() -> None:
    """Run the tour."""
    tour = Tour("Cloud Functions", "functions-framework", "onnxruntime")
    with FOLDER as home:
        folder = Path(home)
        task = prepare(folder)
        tour.plain("a new process that scores them", lambda: in_new_process(task))
        tour.say(same(task, tour.system_does(lambda: solve(task, folder))))
    tour.say("present name: Cloud Run functions (since August 2024; as of November 2026)")
    tour.end(
        stores="an image that Google builds from your folder, in Artifact Registry, and a revision for each deployment",
        asks="a folder with main.py, requirements.txt and the model; an account with billing; a region",
        not_proven="nothing was built or deployed at Google: no cold start, no scaling to zero or to many, no identity",
        real=(
            "gcloud auth login && gcloud config set project PROJECT",
            "printf 'functions-framework\\nnumpy\\nonnxruntime\\n' > requirements.txt",
            "gcloud run deploy score --source . --function score --base-image python312 --region europe-west3 "
            "--no-allow-unauthenticated",
            'curl -H "Authorization: Bearer $(gcloud auth print-identity-token)" --json @rows.json URL',
            "gcloud run services update-traffic score --to-revisions NEW=10,OLD=90",
        ),
        missing="it is a service of Google's: its framework served the function here",
    )


if __name__ == "__main__":
    main()
