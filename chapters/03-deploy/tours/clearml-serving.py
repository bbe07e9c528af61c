# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "clearml-serving", "setuptools<81",
#     "duckdb", "filelock", "lightgbm", "numpy", "onnx", "onnxmltools", "onnxruntime", "pandas<3", "pyarrow",
#     "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of ClearML Serving: its engine loads an endpoint's code from an offline task, and answers.

    python3 bootstrap.py tour clearml-serving

No account and no ClearML server: the HTTP front, which asks the server for its endpoints, is not started.
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

from scoring import Task, in_new_process, prepare, same  # noqa: E402

from course.tour import Tour  # noqa: E402

CODE = ROOT / "chapters/03-deploy/tours/task/clearml_preprocess.py"


def solve(task: Task, folder: Path) -> list[float]:
    """Upload the endpoint's code to a serving task, let the engine load it, and pass the applications through it."""
    from clearml import Task as ClearmlTask
    from clearml_serving.serving.endpoints import ModelEndpoint
    from clearml_serving.serving.preprocess_service import BasePreprocessRequest

    os.environ["OAKBANK_MODEL"] = str(task.model)
    serving = ClearmlTask.init("oakbank", "serving", task_type="service", auto_connect_frameworks=False)
    code = shutil.copy(CODE, folder / "preprocess.py")
    serving.upload_artifact("py_code_credit", Path(code), wait_on_upload=True)
    endpoint = ModelEndpoint(
        engine_type="custom", serving_url="credit", version="1", preprocess_artifact="py_code_credit"
    )
    engine = BasePreprocessRequest.get_engine_cls(endpoint.engine_type)(endpoint, serving)
    state: dict[str, object] = {}
    data = engine.preprocess({"rows": task.rows}, state)
    answer = engine.postprocess(engine.process(data, state), state)
    serving.close()
    return list(answer["default_probabilities"])


def main() -> None:
    """Run the tour."""
    tour = Tour("ClearML serving", "clearml-serving", "clearml", "onnxruntime")
    with FOLDER as home:
        folder = Path(home)
        config = folder / "clearml.conf"
        config.write_text("sdk { development { report_use_subprocess: false } }\n")  # it would fork beside threads
        os.environ |= {
            "CLEARML_OFFLINE_MODE": "1",
            "CLEARML_CACHE_DIR": str(folder),
            "CLEARML_CONFIG_FILE": str(config),
            "CLEARML_SKIP_PIP_FREEZE": "1",
        }
        task = prepare(folder)
        tour.plain("a new process that scores them", lambda: in_new_process(task))
        tour.say(same(task, tour.system_does(lambda: solve(task, folder))))
    tour.say("present name: ClearML Serving 1.3 (open source; as of November 2026)")
    tour.end(
        stores="endpoints, their code and canary shares in a task on a ClearML server; models in its registry",
        asks="a ClearML server; containers for the front, Triton, statistics (Kafka, Prometheus, Grafana)",
        not_proven="no request came over HTTP, no endpoint was found on a server, no canary, no statistics",
        real=(
            "clearml-init && clearml-serving create --name oakbank",
            "clearml-serving --id ID model upload --name credit --project oakbank --path model.onnx",
            "clearml-serving --id ID model add --engine custom --endpoint credit --preprocess preprocess.py "
            "--name credit --project oakbank",
            "docker compose --env-file example.env -f docker-compose.yml up  # from clearml-serving's repository",
            "curl -X POST http://127.0.0.1:8080/serve/credit --json @rows.json",
        ),
        missing="there is no ClearML server here: the engine of ClearML Serving ran without its front",
    )


if __name__ == "__main__":
    main()
