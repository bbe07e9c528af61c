"""What a change reaches: by imports, by declared data, and what the small build misses that the full one sees."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from course.lesson import own_git
from oakbank.deploy import ci
from oakbank.scale import monorepo
from oakbank.scale.monorepo.affected import TEAMS

ROOT = Path(__file__).parents[3]
COURSE = [sys.executable, "-m", "course.cli"]
READERS = ["m07", "m21", "m35"]


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return own_git(tmp_path_factory.mktemp("home"), "2026-11-30T09:00:00Z")


@pytest.fixture
def repo(tmp_path: Path, env: dict[str, str]) -> Path:
    monorepo.write_project(tmp_path / "bank", env)
    return tmp_path / "bank"


def switch(repo: Path, env: dict[str, str], branch: str) -> list[str]:
    """Switch to a branch, and return the files that it changes."""
    subprocess.run(["git", "switch", "-q", branch], cwd=repo, env=env, check=True)
    command = ["git", "diff", "--name-only", "main"]
    return subprocess.run(command, cwd=repo, env=env, check=True, capture_output=True, text=True).stdout.split()


def test_what_each_change_reaches_and_what_the_small_build_misses(repo: Path, env: dict[str, str]) -> None:
    found = {}
    for branch in monorepo.CHANGES:
        changed = switch(repo, env, branch)
        assert changed == [monorepo.CHANGES[branch][0]]
        few = monorepo.affected(repo, changed)
        found[branch] = (len(few), monorepo.build(repo, few), monorepo.build(repo, TEAMS))
    assert found["faster-income"] == (11, set(), set())
    assert found["yearly-income"][0] == 11
    assert found["yearly-income"][1] == found["yearly-income"][2] != set()
    assert found["new-rates"] == (0, set(), set(READERS)), "green by day, red by night"
    assert found["rename-grounds"] == (2, {"letters"}, {"letters"}), "the consumer's contract"


def test_a_declaration_makes_the_small_build_see_it(repo: Path, env: dict[str, str]) -> None:
    assert list(monorepo.undeclared(repo)) == READERS
    assert not monorepo.is_hermetic(repo, "m07")
    assert [monorepo.is_hermetic(repo, name) for name in ("m00", "letters")] == [True, True]
    for name in READERS:
        path = repo / "bank" / "models" / f"{name}.py"
        path.write_text(path.read_text() + 'READS = ["data/rates.csv"]\n')
    assert monorepo.undeclared(repo) == {}
    assert monorepo.is_hermetic(repo, "m07")
    assert monorepo.affected(repo, ["data/rates.csv"]) == READERS
    file, old, new = monorepo.CHANGES["new-rates"]
    (repo / file).write_text((repo / file).read_text().replace(old, new))
    assert monorepo.build(repo, READERS) == set(READERS)


def test_what_nothing_is_known_of_reaches_everything_and_a_test_its_own(repo: Path) -> None:
    assert monorepo.affected(repo, []) == []
    for file in ("requirements.txt", "expected.json", "tests/__init__.py", "data/applicants.json", "bank/gone.py"):
        assert monorepo.affected(repo, [file]) == list(TEAMS), file
    assert monorepo.affected(repo, ["tests/test_m03.py"]) == ["m03"]
    for package in ("bank", "bank/features", "bank/models"):
        assert set(monorepo.MODELS) <= set(monorepo.affected(repo, [f"{package}/__init__.py"])), package


def test_a_broken_declaration_is_refused_and_a_test_that_cannot_start_is_red(repo: Path) -> None:
    path = repo / "bank" / "models" / "m03.py"
    whole = path.read_text()
    path.write_text(whole + 'READS = "data/rates.csv"\n')
    with pytest.raises(ValueError, match="READS must be a list of texts"):
        monorepo.affected(repo, ["data/rates.csv"])
    path.write_text("import nothing_of_this_name\n")
    assert monorepo.build(repo, ["m03", "m04"]) == {"m03"}
    with pytest.raises(RuntimeError, match="pytest ended with"):
        monorepo.build(repo, ["no-such-model"])


@pytest.mark.long  # act runs a workflow twice
def test_act_shows_what_was_recorded() -> None:
    if ci.versions(lambda _: None) is None:
        if os.environ.get("CI") == "true" and "runners" in os.environ.get("COURSE_NEEDS", "").split(","):
            pytest.fail("act was promised and is not there")
        pytest.skip("no act on this machine")
    ran = subprocess.run([*COURSE, "record", "--check", "05/01"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "05/01: as it was recorded\n"), ran.stdout + ran.stderr
