"""Batch and training on an engine: the same bytes, also after a kill; lines and limits; what a model's file holds."""

import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import Client, wait

from oakbank.pipelines import CreditModel, ModelError, feature_matrix
from oakbank.scale.engines.cluster import cpu_seconds, local_cluster, race, spent, workers_of
from oakbank.scale.engines.crossing import Line, crossing, rows_in_a_task, serial_part, speedup
from oakbank.scale.engines.scoring import large_bank, score_file, score_whole, write_months
from oakbank.scale.engines.training import SETTINGS, compare, digest, place, train, trees
from oakbank.world import LakeError

WORLD = large_bank(1, applications=3_000)
PAST, BAD = WORLD.applications(-1), WORLD.truth(-1)["would_default"].to_numpy()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two workers for all tests here: to start them takes most of the time."""
    with local_cluster(2) as client:
        yield client
        held = [psutil.Process(pid) for pid in client.run(os.getpid).values()]
    _, alive = psutil.wait_procs(held, timeout=30)
    assert not alive, "workers outlived their cluster"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.txt"
    CreditModel.fit(feature_matrix(PAST), BAD, rounds=30).save(path)
    return path


# The batch job


def test_a_file_is_scored_as_the_whole_is_and_in_order(tmp_path: Path, model: Path) -> None:
    rows = pd.concat([WORLD.applications(month) for month in range(7)], ignore_index=True)  # three batches
    rows.to_parquet(tmp_path / "rows.parquet")
    assert score_file(tmp_path / "rows.parquet", model, tmp_path / "a") == len(rows) == 21_000
    assert score_whole(tmp_path / "rows.parquet", model, tmp_path / "b") == len(rows)
    found, whole = (pd.read_parquet(tmp_path / name / "rows.parquet") for name in "ab")
    pd.testing.assert_frame_equal(found, whole)
    assert (found["probability"] == CreditModel.load(model).predict(rows)).all()
    assert (found["application_id"] == rows["application_id"]).all()


def test_a_job_that_fails_leaves_the_scores_as_they_were(tmp_path: Path, model: Path) -> None:
    (file,) = write_months(WORLD, [0], tmp_path)
    scores = tmp_path / "scores" / file.name
    score_file(file, model, scores.parent)
    before = scores.read_bytes()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(LakeError, match="truncated or not Parquet"):
        score_file(file, model, scores.parent)
    with pytest.raises(ModelError, match="no model at"):
        score_file(file, tmp_path / "none.txt", scores.parent)
    assert [path.name for path in scores.parent.iterdir()] == [file.name]
    assert scores.read_bytes() == before


def test_a_worker_dies_and_the_bytes_are_the_threads(tmp_path: Path, model: Path, client: Client) -> None:
    files = write_months(WORLD, range(6), tmp_path)
    for file in files:
        score_file(file, model, tmp_path / "thread")
    jobs = client.map(score_file, files, model=model, folder=tmp_path / "engine", pure=False)
    wait(jobs[0])  # type: ignore[no-untyped-call]
    written = (tmp_path / "engine" / files[0].name).stat().st_mtime_ns
    (worker,) = client.who_has(jobs[0])[jobs[0].key]  # type: ignore[no-untyped-call]
    killed = client.run(os.getpid, workers=[worker])[worker]
    psutil.Process(killed).kill()
    assert client.gather(jobs) == [3_000] * 6  # type: ignore[no-untyped-call]
    assert (tmp_path / "engine" / files[0].name).stat().st_mtime_ns > written, "what the dead worker held is done again"
    for file in files:
        assert (tmp_path / "engine" / file.name).read_bytes() == (tmp_path / "thread" / file.name).read_bytes()
    client.wait_for_workers(2, timeout=60)
    assert killed not in client.run(os.getpid).values()


@pytest.mark.skipif(sys.platform == "win32", reason="a killed parent is another thing there")
def test_workers_end_with_a_process_that_is_killed() -> None:
    code = (
        "import os, time\n"
        "from oakbank.scale.engines.cluster import local_cluster\n"
        "if __name__ == '__main__':\n"
        "    with local_cluster(1) as client:\n"
        "        print(*client.run(os.getpid).values(), flush=True)\n"
        "        time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        (worker,) = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert worker.is_running()
        parent.kill()
        _, alive = psutil.wait_procs([worker], timeout=30)
    for process in alive:
        process.kill()
    assert not alive


# Lines, crossings, limits


def test_a_line_goes_through_its_measurements() -> None:
    line = Line.fit([0, 10, 30], [2, 3, 5])
    assert [line.fixed, line.per_row, line.at(100)] == pytest.approx([2, 0.1, 12])
    assert line.shared(4).at(100) == pytest.approx(2 + 10 / 4)
    with pytest.raises(ValueError, match="one size gives no line"):
        Line.fit([5, 5], [1, 2])
    with pytest.raises(ValueError, match="give one or more"):
        line.shared(0)


@pytest.mark.parametrize(
    ("thread", "engine", "rows"),
    [
        (Line(0, 5), Line(90, 2), 30),
        (Line(10, 5), Line(90, 1), 20),
        (Line(0, 5), Line(90, 5), math.inf),
        (Line(0, 5), Line(90, 6), math.inf),
        (Line(90, 5), Line(0, 6), math.inf),  # faster at first, but not for good
        (Line(90, 5), Line(0, 5), 0),
        (Line(90, 5), Line(0, 4), 0),
    ],
)
def test_the_crossing_is_where_the_engine_wins_for_good(thread: Line, engine: Line, rows: float) -> None:
    assert crossing(thread, engine) == rows
    if 0 < rows < math.inf:
        assert engine.at(rows + 1) < thread.at(rows + 1)
        assert engine.at(rows - 1) > thread.at(rows - 1)


def test_amdahl_and_the_tasks_that_keep_workers_busy() -> None:
    assert speedup(0.1, 10) == pytest.approx(1 / 0.19)
    assert [speedup(0.1, math.inf), speedup(0, math.inf), speedup(1, 9), speedup(0, 9)] == [10, math.inf, 1, 9]
    for wrong in ((-0.1, 2), (1.1, 2), (0.5, 0)):
        with pytest.raises(ValueError, match="a part is from 0 to 1"):
            speedup(*wrong)
    assert serial_part(1e-3, 1e-5, 100) == pytest.approx(0.5)
    assert serial_part(1e-3, 1e-4, 100) < serial_part(1e-3, 1e-5, 100), "a slow program scales better"
    rows = rows_in_a_task(1e-3, 6e-6, 16)
    assert rows * 6e-6 >= 16 * 1e-3 > (rows - 1) * 6e-6


def _burn(seconds: float) -> int:
    end = time.process_time() + seconds
    turns = 0
    while time.process_time() < end:
        turns += 1
    return turns


def test_work_is_counted_where_it_is_done(client: Client) -> None:
    work, clock = spent(lambda: client.submit(_burn, 0.5, pure=False).result(), client)
    assert work >= 0.5
    assert clock >= 0.5
    workers = -cpu_seconds() + cpu_seconds(client)
    client.submit(_burn, 0.5, pure=False).result()
    assert -cpu_seconds() + cpu_seconds(client) - workers > 0.4, "the worker's work is no part of this process's"
    ways = {"here": _burn, "there": lambda seconds: client.submit(_burn, seconds, pure=False).result()}
    found = race(ways, {1: 0.05, 2: 0.1}, client)
    assert list(found.index) == [1, 2]
    assert (found["work"].to_numpy() >= [[0.05, 0.05], [0.1, 0.1]]).all()
    assert list(found["clock"]) == ["here", "there"]


# Training


def test_rows_lie_where_they_are_placed(client: Client) -> None:
    rows = np.arange(5)
    placed = place(client, rows)
    assert placed.chunks == ((3, 2),)
    assert (placed.compute() == rows).all()  # type: ignore[no-untyped-call]
    assert len(workers_of(client)) == 2
    with pytest.raises(ValueError, match="start fewer workers"):
        place(client, rows[:1])


def test_two_workers_train_another_model_and_each_file_is_another(client: Client) -> None:
    matrix, settings = feature_matrix(PAST), {"n_estimators": 20}
    many = {str(n): train(client, matrix, BAD, **settings) for n in range(4)}
    single = lgb.LGBMClassifier(n_jobs=1, **SETTINGS | settings).fit(matrix, BAD)
    found = compare({"single": single} | many, WORLD.applications(0), WORLD.truth(0)["would_default"])
    assert found["file"].is_unique, "the ports stand in the file"
    assert found.loc["single", "trees"] not in set(found["trees"][1:])
    assert found["trees"][1:].nunique() <= 2, "who is the first worker, and nothing else"
    assert found.loc["single", "changed"] == 0
    assert (found["changed"][1:] > 0).all()
    assert np.ptp(found["auc"]) < 0.02
    text = many["0"].model_to_string(num_iteration=-1)
    assert "[machines: 127.0.0.1:" in text
    assert "[num_machines: 2]" in text
    assert text.startswith(trees(many["0"]))
    assert "machines" not in trees(many["0"])
    assert digest("a") != digest("b")


def test_the_bins_of_a_feature_come_from_one_workers_rows(client: Client) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.integers(0, 50, (4_000, 6)).astype(np.float32)
    matrix[2_000:] += 0.25  # between two values of one half lies .5, of the other .75, and of both together neither
    bad = matrix.sum(axis=1) + rng.normal(0, 20, 4_000) > 150
    nodes = train(client, matrix, bad, n_estimators=20).trees_to_dataframe().dropna(subset="split_feature")
    ends = nodes.assign(end=nodes["threshold"].astype(float).round(3) % 1).groupby("split_feature")["end"].unique()
    assert ends.map(len).eq(1).all()
    assert {float(end[0]) for end in ends} == {0.5, 0.75}
