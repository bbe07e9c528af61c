"""Lineage: one decision back to model, data, code, approver; and what it says when one of them was tampered with."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from oakbank.deploy.batch import score_month
from oakbank.deploy.gate import DEFAULT_GATES, promote
from oakbank.governance.audit import AuditLog
from oakbank.governance.fairness import fairness_gate
from oakbank.governance.lineage import LineageError, trace
from oakbank.pipelines import FeedReference, Registry, TrainingConfig, TrainingRun, run_training
from oakbank.world import Lake, Scenario, World, publish_history, publish_month
from oakbank.world.scenario import Event


@dataclass
class Bank:
    lake: Lake
    registry: Registry
    audit: AuditLog
    run: TrainingRun

    def application(self, month: int) -> int:
        return int(self.lake.read("decisions", [month])["application_id"].iloc[17])


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    """History, a promoted model, and two months decided: in month 1 the income comes in another unit."""
    folder = tmp_path_factory.mktemp("lineage")
    broken = Event(kind="feed_unit", onset=1, column="income", factor=12.0)
    world = World(5, Scenario(name="lineage", description="for this test", events=(broken,)))
    lake, audit = Lake(folder / "lake"), AuditLog(folder / "audit.jsonl")
    publish_history(world, lake)
    registry = Registry(folder / "registry")
    run = run_training(TrainingConfig(), lake, folder / "run", registry)
    audit.append("train", "pipeline", when=0, version=run.version)
    result = promote(registry, run, [*DEFAULT_GATES, fairness_gate()], approver="C. Risk")
    assert result.promoted, result.results
    audit.append("promote", "C. Risk", when=0, version=run.version)
    reference = FeedReference.from_lake(lake)
    for month in (0, 1):
        publish_month(world, lake, month)
        assert run.version is not None
        score_month(registry.load("champion"), run.version, lake, month, reference)
        audit.append("decide", "batch job", when=month, version=run.version, month=month)
    audit.append("train", "pipeline", when=1, version="99")
    return Bank(lake, registry, audit, run)


@contextmanager
def changed(path: Path, content: bytes) -> Iterator[None]:
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)


def test_a_decision_leads_back_to_everything(bank: Bank) -> None:
    found = trace(bank.application(0), bank.lake, bank.registry, bank.audit)
    decided = bank.lake.read("decisions", [0]).iloc[17]
    assert (found.month, found.granted, found.probability) == (
        0,
        decided["granted"],
        decided["default_probability"],
    )
    assert found.version == bank.run.version
    assert found.model_hash == bank.run.model().digest
    assert (found.data_hash, found.code_hash) == (bank.run.data_hash, bank.run.code_hash)
    assert (found.as_of, found.approver) == (0, "C. Risk")
    assert found.run_id is not None
    assert bank.registry.client.get_run(found.run_id).data.params["as_of"] == "0"
    assert found.reproduced is True
    assert found.feed_problems == ()
    assert [entry.kind for entry in found.entries] == ["train", "promote", "decide"]
    assert found.warnings == ()


def test_repair_of_the_feed_is_reproduced_and_said(bank: Bank) -> None:
    found = trace(bank.application(1), bank.lake, bank.registry, bank.audit)
    assert found.reproduced is True
    assert [problem.split(":")[:2] for problem in found.feed_problems] == [["income", " unit"]]
    assert [entry.when for entry in found.entries] == [0, 0, 1]


def test_officers_decisions_say_so(bank: Bank) -> None:
    found = trace(bank.application(-4), bank.lake, bank.registry, bank.audit)
    assert (found.version, found.probability, found.reproduced) == ("officers", None, None)
    assert (found.model_hash, found.approver, found.entries, found.warnings) == (None, None, (), ())
    assert "| decided by | loan officers |" in found.markdown()
    assert "not possible" in found.markdown()


def test_unknown_and_undecided_applications(bank: Bank) -> None:
    with pytest.raises(LineageError, match="no application 12345"):
        trace(12345, bank.lake, bank.registry, bank.audit)
    path = bank.lake.path("decisions", 1)
    undecided, content = bank.application(1), path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(LineageError, match="of month 1 is not decided yet"):
            trace(undecided, bank.lake, bank.registry, bank.audit)
    finally:
        path.write_bytes(content)


def test_tampered_models_are_seen(bank: Bank) -> None:
    (stored,) = (bank.registry.folder / "artifacts").rglob("model.lgb")
    text = stored.read_bytes()
    other = text.replace(b"leaf_value=-", b"leaf_value=", 1)
    assert other != text
    for content in (other, text[: len(text) // 2], text + b"\n", b""):
        with changed(stored, content):
            found = trace(bank.application(0), bank.lake, bank.registry, bank.audit)
        assert found.reproduced is False
        assert any("not the one registered" in warning for warning in found.warnings), found.warnings
        assert found.model_hash == bank.run.model().digest
    stored.rename(stored.with_suffix(".away"))
    try:
        found = trace(bank.application(0), bank.lake, bank.registry, bank.audit)
    finally:
        stored.with_suffix(".away").rename(stored)
    assert found.reproduced is False
    assert trace(bank.application(0), bank.lake, bank.registry, bank.audit).reproduced is True


@pytest.mark.parametrize("column", ["granted", "default_probability"])
def test_tampered_decision_is_seen(bank: Bank, column: str) -> None:
    path = bank.lake.path("decisions", 0)
    decisions = bank.lake.read("decisions", [0])
    before = path.read_bytes()
    values = decisions[column].to_numpy(copy=True)
    values[17] = not values[17] if column == "granted" else values[17] + 1e-12
    decisions[column] = values
    with changed(path, before):
        bank.lake.write("decisions", 0, decisions)
        found = trace(bank.application(0), bank.lake, bank.registry, bank.audit)
    assert found.reproduced is False
    assert any("the result differs" in warning for warning in found.warnings)


def test_tampered_application_is_seen(bank: Bank) -> None:
    path = bank.lake.path("applications", 0)
    applications = bank.lake.read("applications", [0])
    applications.loc[17, "bureau_score"] = 300.0
    with changed(path, path.read_bytes()):
        bank.lake.write("applications", 0, applications)
        assert trace(bank.application(0), bank.lake, bank.registry, bank.audit).reproduced is False
    with changed(path, b"not parquet"):
        found = trace(bank.application(0), bank.lake, bank.registry, bank.audit)
    assert found.reproduced is False
    assert any("cannot be read" in warning for warning in found.warnings)


def test_tampered_log_is_not_quoted(bank: Bank) -> None:
    content = bank.audit.path.read_bytes()
    with changed(bank.audit.path, content.replace(b"C. Risk", b"A. Else")):
        found = trace(bank.application(0), bank.lake, bank.registry, bank.audit)
    assert not found.log.ok
    assert found.entries == ()
    assert "DOES NOT HOLD" in found.markdown()
    head = bank.audit.head()
    with changed(bank.audit.path, content[: content.rindex(b"\n", 0, -1) + 1]):
        assert trace(bank.application(0), bank.lake, bank.registry, bank.audit).log.ok
        assert not trace(bank.application(0), bank.lake, bank.registry, bank.audit, head=head).log.ok


def test_approver_is_checked_against_the_log(bank: Bank, tmp_path: Path) -> None:
    other = AuditLog(tmp_path / "audit.jsonl")
    assert bank.run.version is not None
    found = trace(bank.application(0), bank.lake, bank.registry, other)
    assert found.warnings == (f"the audit log has no 'promote' entry for version {bank.run.version}",)
    other.append("promote", "Somebody", version=bank.run.version)
    found = trace(bank.application(0), bank.lake, bank.registry, other)
    assert found.warnings == ("the registry names C. Risk as approver, the audit log Somebody",)


def test_version_that_is_in_no_registry(bank: Bank) -> None:
    path = bank.lake.path("decisions", 0)
    with changed(path, path.read_bytes()):
        bank.lake.write("decisions", 0, bank.lake.read("decisions", [0]).assign(model_version="77"))
        found = trace(bank.application(0), bank.lake, bank.registry, bank.audit)
    assert (found.version, found.reproduced, found.model_hash) == ("77", False, None)
    assert any("no version 77" in warning for warning in found.warnings)


def test_markdown_is_a_page_that_nothing_breaks_out_of(bank: Bank, tmp_path: Path) -> None:
    other = AuditLog(tmp_path / "audit.jsonl")
    other.append("promote", "x | <script>\n# y", version=bank.run.version)
    page = trace(bank.application(1), bank.lake, bank.registry, other).markdown()
    assert "| reproduced today | yes |" in page
    assert f"| decided by | model version {bank.run.version} |" in page
    assert "| feed repaired | income: unit:" in page
    assert "x \\| &lt;script> # y" in page
    assert "<script>" not in page
