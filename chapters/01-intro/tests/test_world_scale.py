"""A million applications: seconds and memory, measured in a process of its own. `pytest -s` prints them."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="CPU time and peak memory of a process are read as POSIX gives them")

MEASURE = """
import json, pathlib, resource, sys, time
started = time.process_time()
from oakbank.world import World, load_scenario
imported = time.process_time()
world = World(1, load_scenario("calm").model_copy(update={"applications_per_month": 1_000_000}))
feed = world.applications(0)
features = time.process_time()
truth = world.truth(0)
outcomes = world.outcomes(3, feed["application_id"][::2])
done = time.process_time()
status = pathlib.Path("/proc/self/status")
if status.exists():  # on Linux ru_maxrss would count the parent too
    peak = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "rows": len(feed), "outcomes": len(outcomes),
    "import_seconds": imported - started, "feature_seconds": features - imported, "seconds": done - imported,
    "peak_mb": peak / 1e6,
    "feed_mb": float(feed.memory_usage(deep=True).sum()) / 1e6,
}))
"""


def test_a_million_applications() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, timeout=300)
    measured = json.loads(done.stdout)
    print(json.dumps({key: round(value, 2) for key, value in measured.items()}))
    assert measured["rows"] == 1_000_000
    assert measured["outcomes"] == 500_000
    assert measured["seconds"] < 15, "CPU seconds of features, truth and outcomes; about one or two are usual"
    assert measured["peak_mb"] < 1_500
