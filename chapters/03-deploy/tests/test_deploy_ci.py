"""The small project of lesson 03/05: its files are what each server takes, say the same, and their faults are found."""

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from course.lesson import own_git
from oakbank.deploy import ci
from oakbank.deploy.ci.jenkinsfile import JenkinsfileError, commands, faults

ROOT = Path(__file__).parents[3]
ALL = ["test-code", "test-data", "train", "test-model", "package"]
TEXTS = {server: (ci.PROJECT / file).read_text(encoding="utf-8") for server, file in ci.FILES.items()}
JENKINS = TEXTS["Jenkins"]
SCHEMAS = {"GitHub Actions": "vendor.github-workflows", "GitLab CI": "vendor.gitlab-ci"}


@pytest.mark.parametrize("server", ci.FILES)
def test_each_server_asks_for_all_tasks_in_the_same_order(server: str) -> None:
    assert ci.tasks(server, TEXTS[server]) == ALL


def test_the_script_has_these_tasks_and_no_others(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "task.py", "tset-code"], cwd=ci.PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == f"no task 'tset-code': one of {', '.join(ALL)}\n"


@pytest.mark.parametrize("server", ci.FILES)
def test_a_task_that_is_left_out_or_commented_out_is_missed(server: str) -> None:
    line = next(line for line in TEXTS[server].splitlines() if "task.py test-data" in line)
    for instead in ("", ("// " if server == "Jenkins" else "# ") + line):
        assert ci.tasks(server, TEXTS[server].replace(line, instead)) == [name for name in ALL if name != "test-data"]


@pytest.mark.parametrize(
    ("server", "text"),
    [
        ("GitHub Actions", "jobs: [a]"),
        ("GitHub Actions", "jobs: {a: {}}"),
        ("GitHub Actions", "a: b: c"),
        ("GitLab CI", "- a"),
        ("GitLab CI", "stages: [a]\nx: {stage: b, script: [c]}"),
        ("Jenkins", "pipeline {"),
    ],
)
def test_what_no_server_reads_is_refused(server: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"no pipeline of|not closed"):
        ci.tasks(server, text)


def fits(server: str, text: str, folder: Path) -> bool:
    file = folder / "pipeline.yml"
    file.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[server], str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("server", "old", "new"),
    [("GitHub Actions", "runs-on", "runs-at"), ("GitLab CI", "script: [python task.py train]", "script: {python: 3}")],
)
def test_the_files_pass_the_schemas_and_a_fault_does_not(server: str, old: str, new: str, tmp_path: Path) -> None:
    assert old in TEXTS[server]
    assert fits(server, TEXTS[server], tmp_path)
    assert not fits(server, TEXTS[server].replace(old, new, 1), tmp_path)


def test_the_workflow_may_read_and_names_actions_by_hash() -> None:
    workflow = yaml.safe_load(TEXTS["GitHub Actions"])
    assert workflow["permissions"] == {"contents": "read"}
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


def test_the_jenkinsfile_has_no_fault() -> None:
    assert faults(JENKINS) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("pipeline {", "node {", "line 1: a declarative Jenkinsfile is one block"),
        ("    agent any\n", "", "`pipeline` needs `agent`"),
        ("agent any", "agent any\n    agent none", "`pipeline` has `agent` 2 times"),
        ("agent any", "agnet any", "line 2: `agnet` is no section of `pipeline`"),
        ("'Train'", "'Model'", "stage('Model') is there 2 times"),
        ("stage('Code')", "stage(Code)", "line 5: write `stage('name')`"),
        ("{ steps { sh 'python task.py train' } }", "{ }", "line 7: `stage('Train')` needs one of"),
        ("steps { sh 'python task.py train' }", "steps { }", "line 7: `steps` of `stage('Train')` is empty"),
        ("steps { sh 'python task.py train' }", "sh 'python task.py train'", "`sh` is no section of `stage`"),
        ("    stages {", "    stages { sh 'a'\n", "holds blocks `stage('name') { … }` only"),
        ("success {", "sucess {", "`sucess` is no section of `post`"),
        ("train' } }", "train' }", "is not closed"),
        ("train' } }", "train' } } } } }", "closes nothing"),
        ("test-code'", "test-code", "line 5: what begins with ' is not closed"),
        ("agent any", "agent any /* for now", "line 2: what begins with /* is not closed"),
    ],
)
def test_a_fault_of_structure_is_found(old: str, new: str, says: str) -> None:
    assert old in JENKINS
    found = faults(JENKINS.replace(old, new, 1))
    assert any(says in fault for fault in found), found


def test_other_right_jenkinsfiles_pass() -> None:
    text = """// of the team on the second floor
    pipeline {
        agent { docker { image 'python:3.12' } }
        environment { A = 'a } b'; B = "it's" }
        stages {
            stage("Both") {
                when { branch 'main' }
                parallel {
                    stage('One') { steps { sh(script: 'python task.py one') } }
                    stage('Two') { steps { script { if (a) { sh '''
                        python task.py two # not: python task.py three
                    ''' } } } }
                }
            }
        }
    }"""
    assert faults(text) == []
    assert ci.tasks("Jenkins", text) == ["one", "two"]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="{}'\"/*\\\n; pipelnestagw()#", max_size=60) | st.text(max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    assert all(isinstance(fault, str) for fault in faults(text))
    with contextlib.suppress(JenkinsfileError):
        commands(text)


def test_each_lost_bracket_or_quote_is_found() -> None:
    signs = [at for at, sign in enumerate(JENKINS) if sign in "{}'"]
    assert len(signs) > 50
    assert [at for at in signs if not faults(JENKINS[:at] + JENKINS[at + 1 :])] == []


def test_the_project_is_a_repository_with_a_branch_a_bug(tmp_path: Path) -> None:
    env = own_git(tmp_path, "2026-11-30T09:00:00Z")
    heads = []
    for name in ("one", "two"):
        ci.write_project(tmp_path / name, env)
        command = ["git", "for-each-ref", "--format=%(refname:short) %(objectname)", "refs/heads"]
        told = subprocess.run(command, cwd=tmp_path / name, env=env, capture_output=True, text=True, check=True).stdout
        heads.append(dict(line.split() for line in told.splitlines()))
    assert heads[0] == heads[1]
    assert set(heads[0]) == {"main", *ci.BUGS}
    assert len(set(heads[0].values())) == 4
    with pytest.raises(FileExistsError):
        ci.write_project(tmp_path / "one", env)
    (tmp_path / "one" / "bank.py").write_text("# empty\n", encoding="utf-8")
    with pytest.raises(ValueError, match="nowhere to go"):
        ci.plant("code-bug", tmp_path / "one")


def test_a_machine_without_the_tools_is_told_what_brings_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said: list[str] = []
    assert ci.versions(said.append) is None
    assert "act, gitlab-ci-local, rsync" in said[0]
    assert "npm install --global gitlab-ci-local@" in said[0]


@pytest.mark.long
def test_act_and_gitlab_ci_local_show_what_was_recorded() -> None:
    sentences: list[str] = []
    if ci.versions(sentences.append) is None:
        if os.environ.get("CI") == "true" and "runners" in os.environ.get("COURSE_NEEDS", "").split(","):
            pytest.fail(sentences[0])
        pytest.skip(sentences[0])
    command = [sys.executable, "-m", "course.cli", "record", "--check", "03/05"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == "03/05: as it was recorded\n", ran.stdout + ran.stderr
