"""JupyterLab as a learner gets it, started for real."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from course.start import CONFIG, lab_command
from tests.lab_server import Lab, wait_for_lab
from tests.small_tree import lab as lab_notebook
from tests.small_tree import lesson, markdown


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's folder, of a name that URLs and templates would read otherwise (public/19-names-of-the-folder)."""
    folder = tmp_path_factory.mktemp("course") / "50% off? #1 {x} [2026]"
    lesson(folder, "01-intro/01-first", "1 + 1")
    lab_notebook(folder, "01-lab", markdown("# Lab"))
    (folder / "solutions").mkdir()
    return folder


@pytest.fixture(scope="module")
def lab(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    runtime = tmp_path_factory.mktemp("runtime")
    command = [sys.executable, "-m", "course.cli", "--root", str(root), "start", "--no-browser"]
    environment = {**os.environ, "JUPYTER_RUNTIME_DIR": str(runtime), "JUPYTER_CONFIG_DIR": str(runtime / "config")}
    log = (runtime / "log.txt").open("w", encoding="utf-8")
    with log, subprocess.Popen(command, stdout=log, stderr=log, env=environment) as process:
        try:
            server = wait_for_lab(process, runtime)
            assert Path(server["root_dir"]) == root / "work"
            yield Lab(server["url"], server["token"])
        finally:
            process.terminate()


def page_config(lab: Lab) -> Any:
    _, page = lab.get("lab")
    text = page.split('id="jupyter-config-data"')[1].split(">", 1)[1].split("</script>")[0]
    return json.loads(text)


def test_authors_buttons_are_off(lab: Lab) -> None:
    disabled = page_config(lab)["disabledExtensions"]
    for name in ("create-assignment", "formgrader", "course-list", "validate-assignment"):
        assert f"@jupyter/nbgrader:{name}" in disabled
    installed = {extension["name"] for extension in page_config(lab)["federated_extensions"]}
    assert {"@jupyter/nbgrader", "jupyterlab-jupytext"} <= installed, "names changed: look at labconfig again"


def test_the_grading_pages_are_not_served(lab: Lab) -> None:
    assert lab.get("formgrader")[0] == 404
    assert lab.get("nbgrader_version")[0] == 404, "nbgrader's Validate calls visible tests a success"
    assert lab.get("api/status")[0] == 200


def test_no_news_are_fetched_and_markdown_is_shown_rendered(lab: Lab) -> None:
    settings = lab.json("lab/api/settings/@jupyterlab/apputils-extension:notification")["schema"]["properties"]
    assert settings["fetchNews"]["default"] == "false"
    assert settings["checkForUpdates"]["default"] is False
    viewers = lab.json("lab/api/settings/@jupyterlab/docmanager-extension:plugin")["schema"]["properties"]
    assert viewers["defaultViewers"]["default"] == {"markdown": "Markdown Preview"}


def test_it_opens_on_the_page_to_begin_at(lab: Lab) -> None:
    assert urlsplit(str(lab.leads_to(""))).path == f"{urlsplit(lab.url).path}lab/tree/START-HERE.md"
    assert lab.get("lab/tree/START-HERE.md")[0] == 200


def test_a_learner_sees_their_own_copies_and_nothing_else(lab: Lab, root: Path) -> None:
    listed = {entry["name"] for entry in lab.json("api/contents")["content"]}
    assert listed == {"01-intro", "labs", "mlflow", "START-HERE.md"}
    for place in ("solutions", "../solutions", "..%2Fsolutions", ".origin.json"):
        assert lab.get(f"api/contents/{place}")[0] == 404
    copy = lab.json("api/contents/01-intro/01-first.ipynb")
    assert copy["writable"]


def test_the_page_follows_what_is_saved(lab: Lab, root: Path) -> None:
    page = root / "work" / "START-HERE.md"
    assert "Lesson 01/01" in page.read_text(encoding="utf-8")
    notebook = lab.json("api/contents/01-intro/01-first.ipynb")["content"]
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1
    body = {"type": "notebook", "format": "json", "content": notebook}
    assert lab.send("PUT", "api/contents/01-intro/01-first.ipynb", body)[0] == 200
    assert "Next: [Lab, 01-lab]" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("place", ["", "labs/01-lab"])
def test_a_terminal_opens_where_the_commands_are_typed(lab: Lab, root: Path, place: str) -> None:
    """Wherever the file browser is: there is a folder `labs/` in the course's own tree, too."""
    before = shells(root)
    assert lab.send("POST", "api/terminals", {"cwd": place})[0] == 200
    assert len(shells(root)) == len(before) + 1


def shells(root: Path) -> list[int]:
    """Return the processes at work in the course's folder itself that JupyterLab started."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            parent = process.parent()
            if Path(process.cwd()) == root and parent and Path(parent.cwd()) != root:
                found.append(process.pid)
    return found


def test_the_launcher_offers_mlflow_and_the_service_with_icons(lab: Lab) -> None:
    servers = lab.json("server-proxy/servers-info")["server_processes"]
    titles = {server["name"]: server["launcher_entry"]["title"] for server in servers}
    assert {"mlflow": "MLflow", "service": "Scoring service"}.items() <= titles.items()
    for name in ("mlflow", "service"):
        assert "<svg" in lab.get(f"server-proxy/icon/{name}")[1]


def test_the_scoring_service_answers_inside_lab(lab: Lab) -> None:
    status, text = lab.get("service/readyz")
    assert status == 503, text
    assert "model" in json.loads(text)["detail"], "without a model it says what to do"
    assert lab.json("service/healthz")["status"] == "alive"


def test_mlflow_answers_inside_lab_also_through_a_far_host(lab: Lab, root: Path) -> None:
    status, page = lab.get("mlflow/")
    assert (status, "<title>MLflow</title>" in page) == (200, True)
    question = "mlflow/ajax-api/2.0/mlflow/experiments/search?max_results=5"
    status, text = lab.get(question, Origin="https://hub.example.org")
    assert status == 200
    assert [found["name"] for found in json.loads(text)["experiments"]] == ["Default"]
    telemetry = lab.json("mlflow/ajax-api/3.0/mlflow/ui-telemetry")
    assert telemetry["disable_ui_telemetry"] is True
    assert (root / "work" / "mlflow" / "mlflow.db").is_file(), "it keeps its database in the course's folder"
    assert [path.name for path in root.parent.iterdir()] == [root.name]


def test_mlflows_page_shows_what_a_notebook_logs(lab: Lab, tmp_path: Path) -> None:
    """Wherever it works; also from the folder in which lesson 02/05 works."""
    assert lab.send("POST", "api/kernels", {"name": "python3"})[0] == 201
    code = """
import mlflow
mlflow.set_experiment("mine")
with mlflow.start_run(run_name="by the way"):
    mlflow.log_metric("auc", 0.75)

from course.lesson import own_runs
own_runs()
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("mine")
with mlflow.start_run(run_name="in a lesson"):
    mlflow.log_metric("auc", 0.76)
"""
    subprocess.run([sys.executable, "-c", code], env=kernel_environment(), cwd=tmp_path, check=True)
    experiments = lab.json("mlflow/ajax-api/2.0/mlflow/experiments/search?max_results=5")["experiments"]
    [mine] = [found["experiment_id"] for found in experiments if found["name"] == "mine"]
    status, text = lab.send("POST", "mlflow/ajax-api/2.0/mlflow/runs/search", {"experiment_ids": [mine]})
    assert status == 200, text
    assert [run["info"]["run_name"] for run in json.loads(text)["runs"]] == ["in a lesson", "by the way"]


def kernel_environment() -> dict[str, str]:
    """Return the variables of the kernel that JupyterLab started."""
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if any("kernel" in word for word in process.cmdline()) and "JPY_PARENT_PID" in process.environ():
                return process.environ()
    raise AssertionError("JupyterLab started no kernel")


@pytest.mark.parametrize("path", ["mlflow/ajax-api/2.0/mlflow/experiments/search?max_results=5", "service/healthz"])
def test_a_stranger_without_the_token_is_sent_to_the_login(lab: Lab, path: str) -> None:
    status, text = Lab(lab.url, "wrong").get(path)
    assert status == 302, text


def test_options_reach_jupyterlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command, variables = lab_command(tmp_path, port=1234, browser=False)
    assert "--ServerApp.port=1234" in command
    assert "--ServerApp.port_retries=0" in command
    assert "--no-browser" in command
    command, _ = lab_command(tmp_path)
    assert "--no-browser" not in command
    assert not [word for word in command if "port" in word]
    assert variables["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0] == str(CONFIG)
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/elsewhere")
    assert lab_command(tmp_path)[1]["JUPYTER_CONFIG_PATH"] == f"{CONFIG}{os.pathsep}/elsewhere"
