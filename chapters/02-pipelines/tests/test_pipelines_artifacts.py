"""Steps over files: what is done is not done again, what is damaged is made again, and a kill costs one step."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oakbank.pipelines import PipelineBusyError, TrainingConfig, artifacts, code_hash, folder_lock, run_training
from oakbank.pipelines.artifacts import Steps
from oakbank.world import Lake
from oakbank.world.files import write_json, write_text

posix = pytest.mark.skipif(os.name != "posix", reason="signals, limits and file modes of POSIX")


def double(source: Path, result: Path, times: int = 2) -> None:
    write_text(result, source.read_text() * times)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write_text(tmp_path / "source.txt", "ab")
    return tmp_path / "source.txt"


def run(folder: Path, source: Path, function: Callable[..., None] = double, **params: Any) -> tuple[str, list[str]]:
    steps = Steps(folder)
    made = steps.run(
        "double", function, inputs={"source": source}, outputs={"result": "result.txt"}, params={"times": 2} | params
    )
    return made["result"].read_text(), steps.ran


def test_a_done_step_is_not_run_again(tmp_path: Path, source: Path) -> None:
    folder = tmp_path / "steps"
    assert run(folder, source) == ("abab", ["double"])
    assert run(folder, source) == ("abab", [])
    os.utime(source)  # the bytes count, not the clock
    assert run(folder, source) == ("abab", [])


def test_other_bytes_params_code_or_libraries_run_it_again(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "steps"
    run(folder, source)
    assert run(folder, source, times=3) == ("ababab", ["double"])
    write_text(source, "x")
    assert run(folder, source, times=3) == ("xxx", ["double"])
    monkeypatch.setattr(artifacts, "code_hash", lambda: "other code")
    assert run(folder, source, times=3) == ("xxx", ["double"])
    monkeypatch.setattr(artifacts, "version", lambda _: "0.0")
    assert run(folder, source, times=3) == ("xxx", ["double"])
    assert run(folder, source, times=3) == ("xxx", [])


def test_the_code_hash_is_of_the_source_alone() -> None:
    assert code_hash() == code_hash()
    assert len(code_hash()) == 64


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"key": 1}', "null", '{"key": "x", "outputs": 3}'])
def test_a_damaged_record_or_output_is_made_again(tmp_path: Path, source: Path, record: str) -> None:
    folder = tmp_path / "steps"
    run(folder, source)
    whole = files(folder)
    (folder / "double" / "step.json").write_text(record)
    assert run(folder, source) == ("abab", ["double"])
    (folder / "double" / "result.txt").write_text("aba")
    assert run(folder, source) == ("abab", ["double"])
    (folder / "double" / "result.txt").unlink()
    assert run(folder, source) == ("abab", ["double"])
    assert files(folder) == whole


def test_a_step_that_fails_leaves_what_was_there(tmp_path: Path, source: Path) -> None:
    def half(source: Path, result: Path, times: int) -> None:
        result.write_text("half")
        raise ValueError(f"no more of {source.name}")

    def silent(source: Path, result: Path, times: int) -> None:
        pass

    folder = tmp_path / "steps"
    run(folder, source)
    whole = files(folder)
    with pytest.raises(ValueError, match=r"no more of source\.txt") as error:
        run(folder, source, half, times=5)
    assert "step double" in error.value.__notes__[0]
    with pytest.raises(FileNotFoundError, match=r"result\.txt"):  # a step that does not write what it promised
        run(folder, source, silent, times=5)
    assert files(folder) == whole
    assert run(folder, source) == ("abab", [])


def test_an_input_that_changes_meanwhile_is_noticed(tmp_path: Path, source: Path) -> None:
    def slow(source: Path, result: Path, times: int) -> None:
        double(source, result, times)
        write_text(source, "somebody publishes that month again")

    with pytest.raises(PipelineBusyError, match="an input of double was changed"):
        run(tmp_path / "steps", source, slow)
    assert files(tmp_path / "steps") == {}


def test_leftovers_of_a_kill_are_cleared_even_if_the_step_is_done(tmp_path: Path, source: Path) -> None:
    folder = tmp_path / "steps"
    run(folder, source)
    whole = files(folder)
    leftover = folder / ".double.0123456789abcdef.tmp"
    leftover.mkdir()
    (leftover / "result.txt").write_text("half")
    run(folder, source)
    assert files(folder) == whole


def test_one_run_at_a_time_in_a_folder(tmp_path: Path, history: Lake) -> None:
    with folder_lock(tmp_path):
        with pytest.raises(PipelineBusyError, match="another run is working in"):
            run_training(TrainingConfig(rounds=2), history, tmp_path)
        assert files(tmp_path) == {}
    assert run_training(TrainingConfig(rounds=2), history, tmp_path).ran


@posix
def test_another_user_can_read_what_is_written(tmp_path: Path, source: Path) -> None:
    before = os.umask(0o022)
    try:
        run(tmp_path / "steps", source)
    finally:
        os.umask(before)
    step = tmp_path / "steps" / "double"
    assert (step.stat().st_mode & 0o777, (step / "result.txt").stat().st_mode & 0o777) == (0o755, 0o644)


def test_json_is_the_same_bytes_on_every_platform(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1.5, "a": ["ä"]})
    assert (tmp_path / "a.json").read_bytes() == b'{\n  "a": [\n    "\\u00e4"\n  ],\n  "b": 1.5\n}\n'


# ---- the whole pipeline, disturbed ----

# Each moment at which something takes its name on the disk is met once by a kill: the run is started again and again,
# and killed at the first such moment at which it has not been killed before. A file that was being written is cut in
# half first, as a kill in the middle of the writing would leave it. It works over the results of an older run.
KILLS = """
    import os, pathlib, signal, sys

    from oakbank.pipelines import TrainingConfig, run_training
    from oakbank.world import Lake

    lake, root = Lake(sys.argv[1]), pathlib.Path(sys.argv[2])
    killed = root / "killed.txt"
    killed.touch()


    def train(folder, config, kills=False):
        child = os.fork()
        if child:
            return os.waitpid(child, 0)[1]
        met = killed.read_text().splitlines()

        def watched(function):
            def call(path, target):
                # A hidden folder is named after its step: .train.0123456789abcdef.tmp
                parts = [p.split(".")[1] + "*" if p[0] == "." else p for p in target.parts[-2:]]
                moment = f"{function.__name__} {' '.join(parts)}"
                if kills and moment not in met:
                    with killed.open("a") as stream:
                        stream.write(moment + "\\n")
                    if path.is_file():
                        os.truncate(path, path.stat().st_size // 2)
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(path, target)

            return call

        pathlib.Path.replace = watched(pathlib.Path.replace)
        pathlib.Path.rename = watched(pathlib.Path.rename)
        run_training(config, lake, folder)
        os._exit(0)


    old, new = TrainingConfig(window=4, rounds=3), TrainingConfig(window=5, rounds=3)
    assert train(root / "undisturbed", new) == 0
    assert train(root / "disturbed", old) == 0
    while (status := train(root / "disturbed", new, kills=True)) != 0:
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
"""


@posix
def test_a_kill_at_every_moment_changes_nothing_in_the_end(tmp_path: Path, history: Lake) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLS), str(history.folder), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    undisturbed = files(tmp_path / "undisturbed")
    steps = {name.partition("/")[0] for name in undisturbed}
    assert steps == {"ingest", "validate", "features", "train", "evaluate", "assess"}
    met = (tmp_path / "killed.txt").read_text().splitlines()
    # Each artefact and each record has one moment, and each step two: the old folder goes, the new one comes.
    wanted = [f"replace {name.replace('/', '* ')}" for name in undisturbed]
    wanted += [f"rename disturbed {step}{end}" for step in steps for end in ("", "*")]
    assert sorted(met) == sorted(wanted)
    assert files(tmp_path / "disturbed") == undisturbed


@posix
def test_a_full_disk_is_a_clear_error_and_leaves_what_was_there(tmp_path: Path, history: Lake) -> None:
    import resource

    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN  # so that a write fails and the process lives
    run_training(TrainingConfig(rounds=3), history, tmp_path / "run")
    before = files(tmp_path / "run")
    largest = max(len(content) for content in before.values())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (min(largest, 40_000), limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as error:
            run_training(TrainingConfig(rounds=300), history, tmp_path / "run")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "step train" in error.value.__notes__[0]
    assert files(tmp_path / "run") == before
    assert run_training(TrainingConfig(rounds=3), history, tmp_path / "run").ran == ()
    assert run_training(TrainingConfig(rounds=4), history, tmp_path / "run").ran == ("train", "evaluate", "assess")
