import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.deploy import edge
from oakbank.deploy.edge import EdgeBundle, ExpiredError, compare, export, share_at_most
from oakbank.deploy.onnx_runtime import OnnxModel
from oakbank.pipelines import ModelError, grant
from oakbank.world import DECISIONS

MADE, EXPIRES = date(2025, 3, 3), date(2025, 3, 6)


@pytest.fixture(scope="module")
def bundle(bank: Any) -> EdgeBundle:
    return export(bank.model, bank.world.applications(0), version="7", made=MADE, expires=EXPIRES, max_flips=0.01)


def test_it_decides_as_the_model_does(bank: Any, bundle: EdgeBundle) -> None:
    applications = bank.world.applications(1)
    decisions = bundle.decide(applications, MADE)
    assert list(decisions) == [column.name for column in DECISIONS]
    probability = bank.model.predict(applications)
    assert np.abs(decisions["default_probability"] - probability).max() < 1e-5
    assert (decisions["granted"] == grant(probability, applications["amount"], applications["term"])).all()
    assert set(decisions["model_version"]) == {"7"}
    assert (decisions["application_id"] == applications["application_id"]).all()


def test_saved_and_loaded_it_is_the_same(bank: Any, bundle: EdgeBundle, tmp_path: Path) -> None:
    bundle.save(tmp_path / "deep" / "bundle.onnx")
    loaded = EdgeBundle.load(tmp_path / "deep" / "bundle.onnx")
    assert replace(loaded, model=bundle.model) == bundle
    assert loaded.model.digest == bank.model.digest
    again = export(bank.model, bank.world.applications(0), version="7", made=MADE, expires=EXPIRES, max_flips=0.01)
    assert again.content == bundle.content


@pytest.mark.parametrize(("days", "decides"), [(-1, False), (0, True), (3, True), (4, False), (4000, False)])
def test_it_decides_from_first_to_last_day_only(bank: Any, bundle: EdgeBundle, days: int, decides: bool) -> None:
    applications, today = bank.world.applications(0).head(2), MADE + timedelta(days=days)
    if decides:
        assert len(bundle.decide(applications, today)) == 2
    else:
        with pytest.raises(ExpiredError, match=r"until then a person decides"):
            bundle.decide(applications, today)


def test_a_bound_that_is_exceeded_is_an_error(bank: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    applications = bank.world.applications(0)
    days = {"made": MADE, "expires": EXPIRES}
    with pytest.raises(ModelError, match=r"0 of 2000 decisions differ, so up to 0\.15% may; 0\.10% is allowed"):
        export(bank.model, applications, version="7", **days)
    with pytest.raises(ModelError, match=r"probabilities differ by up to .*1e-12 is allowed"):
        export(bank.model, applications, version="7", max_difference=1e-12, max_flips=0.01, **days)
    with pytest.raises(ModelError, match="no applications"):
        export(bank.model, applications.head(0), version="7", **days)
    with pytest.raises(ValueError, match="give a later last day"):
        export(bank.model, applications, version="7", made=EXPIRES, expires=MADE)
    true = edge.grant
    answers = iter([True, False])  # the model's, then the export's, of which the last row is turned

    def turned(probability, amount, term):  # type: ignore[no-untyped-def]
        found = true(probability, amount, term)
        found[-1] ^= not next(answers)
        return found

    monkeypatch.setattr(edge, "grant", turned)
    with pytest.raises(ModelError, match="1 of 2000 decisions differ"):
        export(bank.model, applications, version="7", max_flips=0.002, **days)


def test_a_foreign_model_is_measured_as_foreign(bank: Any) -> None:
    """The check sees a model that is another one, and says how many decisions it turns."""
    other = replace(bank.model, booster=bank.run.candidate().booster)
    found = compare(bank.model, OnnxModel.from_model(other), bank.world.applications(0))
    assert found.difference > 0.01
    assert found.flips > 10
    assert found.flips / found.rows < found.flips_at_most < 2 * found.flips / found.rows


@given(st.integers(0, 40), st.integers(1, 4000))
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_the_bound_holds_as_often_as_it_says(count: int, rows: int) -> None:
    """At a true share of the bound, so few flips or fewer are seen in one sample of twenty."""
    from scipy.stats import binom

    bound = share_at_most(count, rows)
    if count >= rows:
        assert bound == 1
    else:
        assert count / rows < bound < 1
        assert binom.cdf(count, rows, bound) == pytest.approx(0.05)


def test_what_is_no_bundle_is_refused(bank: Any, bundle: EdgeBundle, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="connect to head office"):
        EdgeBundle.load(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="but no bundle"):
        EdgeBundle.from_bytes(OnnxModel.from_model(bank.model).content)
    for key, value in (("made", "yesterday"), ("checked", "[]"), ("expires", None)):
        graph = onnx.load_from_string(bundle.content)
        kept = {entry.key: entry.value for entry in graph.metadata_props} | {key: value}
        del graph.metadata_props[:]
        for name, text in kept.items():
            if text is not None:
                graph.metadata_props.add(key=name, value=text)
        with pytest.raises(ModelError, match="but no bundle"):
            EdgeBundle.from_bytes(graph.SerializeToString())


def test_damaged_bytes_are_refused(bundle: EdgeBundle, tmp_path: Path) -> None:
    """Wherever a file is cut or changed: with its sha256 always an error, without it never another error."""
    rng, path, harmless = np.random.default_rng(0), tmp_path / "bundle.onnx", 0
    for place in rng.integers(0, len(bundle.content), 60):
        what = rng.bytes(rng.integers(1, 40))
        for content in (bundle.content[:place], bundle.content[:place] + what + bundle.content[place + len(what) :]):
            path.write_bytes(content)
            with pytest.raises(ModelError, match="sha256 differs"):
                EdgeBundle.load(path, bundle.sha256)
            try:
                EdgeBundle.load(path)
                harmless += 1
            except ModelError as error:
                assert "bundle" in str(error) or "convert it" in str(error)  # noqa: PT017 - both outcomes are right
    assert harmless, "a changed number is not seen without the sha256: then say so no longer"


def test_a_full_disk_leaves_the_old_bundle(bundle: EdgeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bundle.onnx"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        bundle.save(path)
    assert [found.name for found in tmp_path.iterdir()] == ["bundle.onnx"]
    assert path.read_bytes() == b"old"
