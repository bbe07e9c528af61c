"""A large log: the benchmark runs, and once a week a million entries keep to what the docstring of `audit` says."""

from pathlib import Path

import pytest

from oakbank.governance import audit_speed


def test_the_benchmark_measures_a_small_log(tmp_path: Path) -> None:
    found = audit_speed.measure(tmp_path / "audit.jsonl", entries=2_500, batch=1_000)
    assert found["hashes in the proof"] == 12
    assert min(found.values()) >= 0
    assert (tmp_path / "audit.jsonl").stat().st_size > found["size"] / 2 > 2_500 * 100


@pytest.mark.weekly
@pytest.mark.long  # two minutes of the processor
def test_a_million_entries(tmp_path: Path) -> None:
    found = audit_speed.measure(tmp_path / "audit.jsonl", entries=1_000_000, batch=1_000)
    assert found["append"] < 180
    assert found["verify against the head"] < 120
    assert found["check the proof"] < 0.1
    assert found["hashes in the proof"] == 20
