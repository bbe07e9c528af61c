"""The lake: a month is there whole or not at all, whatever happens to the disk or the process."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oakbank.world import Lake, LakeError, World, load_scenario, publish_month
from oakbank.world.lake import Kind, read_parquet, write_parquet

posix = pytest.mark.skipif(os.name != "posix", reason="signals, limits and file modes of POSIX")


def world(name: str = "calm", applications: int = 200) -> World:
    return World(5, load_scenario(name).model_copy(update={"applications_per_month": applications}))


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*.tmp")]


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    one, lake = world(applications=3), Lake(tmp_path)  # so few that most categories do not occur
    kinds: dict[Kind, pd.DataFrame] = {
        "applications": one.applications(0),
        "decisions": one.officer_decisions(0),
        "outcomes": one.outcomes(3, []),
    }
    for kind, frame in kinds.items():
        lake.write(kind, 0, frame)
        pd.testing.assert_frame_equal(lake.read(kind, [0]), frame)
    publish_month(one, lake, 1)
    both = lake.read("applications", [0, 1])
    assert (both.dtypes == one.applications(0).dtypes).all()
    assert both["month"].tolist() == [0, 0, 0, 1, 1, 1]


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(allow_nan=True) | st.none(), min_size=1), st.integers(-100, 5_000))
def test_any_numbers_come_back(tmp_path: Path, numbers: list[float | None], month: int) -> None:
    lake = Lake(tmp_path)
    frame = pd.DataFrame({"x": np.array(numbers, dtype=np.float64)})
    lake.write("outcomes", month, frame)
    pd.testing.assert_frame_equal(lake.read("outcomes", [month]), frame)
    assert month in lake.months("outcomes")


def test_months_are_in_order(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    assert lake.months("decisions") == []
    for month in (3, -12, 1000, 0, -1, 23):
        lake.write("decisions", month, pd.DataFrame({"month": [month]}))
    assert lake.months("decisions") == [-12, -1, 0, 3, 23, 1000]
    assert lake.read("decisions", [23, -1])["month"].tolist() == [23, -1]


def test_a_month_without_the_column_is_nan_there(tmp_path: Path) -> None:
    one, lake = world("broken-feed-missing"), Lake(tmp_path)
    for month in (9, 10):
        publish_month(one, lake, month)
    both = lake.read("applications", [9, 10])
    assert both["bureau_score"].isna().groupby(both["month"]).mean().to_dict() == {9: 0.0, 10: 1.0}


def test_what_is_not_there(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(LakeError, match=r"applications.month=\+007\.parquet is missing: publish that month first"):
        lake.read("applications", [7])
    with pytest.raises(LakeError, match="no months of applications asked for"):
        lake.read("applications", [])
    with pytest.raises(LakeError, match="holds no 'application': choose one of applications, decisions, outcomes"):
        lake.months("application")  # type: ignore[arg-type]
    with pytest.raises(LakeError, match="holds no 'truth'"):
        lake.write("truth", 0, world().truth(0))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_strangers_in_the_lake(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    path = publish_month(world(), lake, 3)
    path.with_name(".month=+004.parquet.00ff.tmp").write_bytes(b"PAR1 half")  # what a kill leaves
    path.with_name("notes.txt").write_text("mine")
    assert lake.months("applications") == [3]
    path.with_name("month=+003 (copy).parquet").write_bytes(path.read_bytes())
    with pytest.raises(LakeError, match=r"month=\+003 \(copy\)\.parquet is not a month of applications"):
        lake.months("applications")


def test_a_truncated_file_names_itself(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    path = publish_month(world(), lake, 3)
    whole = path.read_bytes()
    for size in [0, 1, 4, 8, *range(100, len(whole), len(whole) // 40), len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(LakeError, match=r"month=\+003\.parquet cannot be read .*delete it and publish"):
            lake.read("applications", [3])


def test_a_changed_bit_of_the_data_is_seen(tmp_path: Path) -> None:
    """Without the page checksums about a quarter of such bits give other numbers and no error."""
    path = publish_month(world(), Lake(tmp_path), 3)
    whole, group = path.read_bytes(), pq.ParquetFile(path).metadata.row_group(0)
    for index in range(group.num_columns):
        column = group.column(index)
        start = column.dictionary_page_offset or column.data_page_offset
        changed = bytearray(whole)
        changed[start + column.total_compressed_size - 1] ^= 1  # the last byte of the last page
        path.write_bytes(changed)
        with pytest.raises(LakeError, match=r"month=\+003\.parquet cannot be read"):
            read_parquet(path)


def test_no_parquet_at_all(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text("age,income\n30,2000\n")
    with pytest.raises(LakeError, match=r"x\.parquet cannot be read"):
        read_parquet(path)
    with pytest.raises(OSError, match=tmp_path.name):  # there, but no file: not damaged data
        read_parquet(tmp_path)


@posix
def test_a_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    """A service that runs as another user reads the lake; only the umask says what it may."""
    before = os.umask(0o022)
    try:
        path = publish_month(world(), Lake(tmp_path), 0)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_frame_that_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = publish_month(world(), Lake(tmp_path), 0)
    old = path.read_bytes()
    with pytest.raises(Exception, match=r"Conversion failed|Expected bytes"):
        write_parquet(pd.DataFrame({"mixed": [1, "one", object()]}), path)
    assert path.read_bytes() == old
    assert leftovers(tmp_path) == []


def fill(folder: Path) -> None:
    """Write a small month, then a large one over it that does not fit; what is left must be the small one."""
    lake = Lake(folder)
    path = publish_month(world(applications=50), lake, 0)
    old = path.read_bytes()
    with pytest.raises(OSError) as caught:  # noqa: PT011 - the number is checked below
        publish_month(world(applications=50_000), lake, 0)
    assert caught.value.errno in (errno.ENOSPC, errno.EFBIG)
    assert path.read_bytes() == old
    assert leftovers(folder) == []
    assert len(lake.read("applications", [0])) == 50
    publish_month(world(applications=60), lake, 0)  # with room again, the next write goes through
    assert len(lake.read("applications", [0])) == 60


def test_a_full_disk(tmp_path: Path) -> None:
    """A real one: a file system of 200 kB in memory."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(tmp_path)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small file system here; the file size limit is tested instead")
    try:
        fill(tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@posix
def test_a_file_size_limit(tmp_path: Path) -> None:
    """The full disk for those who may not mount: a process that may write no file above 100 kB."""
    code = (
        "import resource, runpy, signal, sys, pathlib\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "module = runpy.run_path(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "module['fill'](pathlib.Path(sys.argv[2]))\n"
    )
    subprocess.run([sys.executable, "-c", code, __file__, str(tmp_path)], check=True, timeout=120)


WRITER = """
import sys
from oakbank.world import Lake, World, load_scenario
scenario = load_scenario("calm").model_copy(update={"applications_per_month": 30_000})
frames = [World(seed, scenario).applications(0) for seed in (1, 2)]
lake = Lake(sys.argv[1])
for turn in range(1_000_000):
    lake.write("applications", turn % 3, frames[turn % 2])
    if turn == 3:
        print("ready", flush=True)
"""


def kill_in_the_middle_of_a_write(writer: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Stop the writer again and again; once it stands with a half-written file, kill it for good."""
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"ready\n"
    for attempt in range(300):
        time.sleep(0.002 * (attempt % 10))
        writer.send_signal(signal.SIGSTOP)
        os.waitpid(writer.pid, os.WUNTRACED)
        if leftovers(folder):
            break
        writer.send_signal(signal.SIGCONT)
    writer.kill()
    writer.wait()


@posix
def test_a_kill_leaves_only_whole_files(tmp_path: Path) -> None:
    scenario = load_scenario("calm").model_copy(update={"applications_per_month": 30_000})
    incomes = {World(seed, scenario).applications(0)["income"].sum() for seed in (1, 2)}
    command = [sys.executable, "-c", WRITER]
    folders = [tmp_path / str(number) for number in range(2)]
    for folder in folders:
        with subprocess.Popen([*command, str(folder)], stdout=subprocess.PIPE) as writer:
            try:
                kill_in_the_middle_of_a_write(writer, folder)
            finally:
                writer.kill()
        lake = Lake(folder)
        assert lake.months("applications") == [0, 1, 2]
        for month in (0, 1, 2):
            assert lake.read("applications", [month])["income"].sum() in incomes
        # Without a write cut off in the middle the lines above would have shown nothing.
        assert len(leftovers(folder)) == 1
