"""A CSV of one's own (public/23-own-csv): what fits is trained, stored, served; the rest is refused."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from oakbank.pipelines import CreditModel, ModelError, Registry, TrainingConfig, TrainingRun, run_training
from oakbank.pipelines.intake import read_quarantine, take_in
from oakbank.pipelines.labels import LatestOutcomes
from oakbank.pipelines.service import Fixed, Loaded, create_app, scoring_app
from oakbank.pipelines.streams import scratch
from oakbank.pipelines.table_spec import SourceError, read_spec
from oakbank.pipelines.tables import OwnData, load_table
from oakbank.world import Lake, LakeError, World
from oakbank.world.lake import write_parquet

README = Path(__file__).parents[1] / "reference" / "oakbank" / "pipelines" / "README.md"
SPEC = README.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
HEADER = "id,age,income,loan,home,status,applied,sex"
GOOD = "7,30,1000.5,5000,rent,paid,2024-03-31,f"
LATE = "8,41,,900,own,late,2023-12-01,m"


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., OwnData]:
    """Write a CSV and a specification, and return both as a source."""

    def make(*lines: str, spec: str = SPEC) -> OwnData:
        (tmp_path / "loans.yaml").write_text(spec, encoding="utf-8")
        (tmp_path / "loans.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
        return OwnData(tmp_path / "loans.csv", read_spec(tmp_path / "loans.yaml"))

    return make


def many(rows: int = 600) -> list[str]:
    """Rows of ten months in which few with much income are late."""
    rng = np.random.default_rng(0)
    lines = []
    for number in range(rows):
        income = rng.uniform(300, 4000)
        status = "late" if rng.random() < (0.6 if income < 1000 else 0.1) else "paid"
        lines.append(f"{number},{rng.integers(18, 90)},{income:.2f},5000,rent,{status},2024-{number % 10 + 1:02d}-03,f")
    return lines


def test_what_fits_is_read_as_it_stands(table: Callable[..., OwnData]) -> None:
    source = table(GOOD, LATE)
    frame = load_table(source.path, source.spec)
    assert frame["defaulted"].tolist() == [False, True]
    assert (frame["month"].tolist(), frame["term"].tolist()) == ([2, -1], [24.0, 24.0])
    assert (frame["amount"].tolist(), frame["group"].tolist()) == ([5000.0, 900.0], ["f", "m"])
    assert np.isnan(frame["income"][1])
    assert "id" not in frame


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD.replace("30", "40000", 1), "line 4, column age: '40000'; wanted: a whole number from 18 to 110"),
        (GOOD.replace("30", "-30", 1), "line 4, column age: '-30'"),
        (GOOD.replace("30", "30.5", 1), "line 4, column age: '30.5'"),
        (GOOD.replace("30", "", 1), "line 4, column age: ''"),
        *(
            (GOOD.replace("1000.5", n), f"line 4, column income: '{n}'")
            for n in ("nan", "inf", "1_000", "1e999", "1e39")
        ),
        (GOOD.replace("5000", "0"), "line 4, column loan: '0'; wanted: a number from 1 to 3.4e"),
        (GOOD.replace("rent", "Rent"), "line 4, column home: 'Rent'; wanted: one of own, rent, family"),
        (GOOD.replace("paid", "0"), "line 4, column status: '0'; wanted: late or lost (bad), or paid (good)"),
        (GOOD.replace("2024-03-31", "2024-02-30"), "line 4, column applied: '2024-02-30'; wanted: a date"),
        (GOOD.replace("2024-03-31", "31.03.2024"), "line 4, column applied: '31.03.2024'"),
        (GOOD + ",9", "line 4: 9 cells; wanted: 8"),
        ('7,"30', "is not a CSV in UTF-8 that can be read"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(table: Callable[..., OwnData], line: str, said: str) -> None:
    source = table(GOOD, LATE, line)
    with pytest.raises(SourceError, match=re.escape(said)) as error:
        load_table(source.path, source.spec)
    assert str(source.path) in str(error.value)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (HEADER.replace("age", "Age"), "columns that are missing: age"),
        (HEADER + ",extra", "unknown .*: extra"),
        (HEADER + ",age", "there twice: age"),
        ("", "missing: age"),
    ],
)
def test_other_columns_are_refused(table: Callable[..., OwnData], header: str, said: str) -> None:
    source = table(GOOD)
    source.path.write_text(header + "\n")
    with pytest.raises(SourceError, match=said):
        load_table(source.path, source.spec)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("bad: [late, lost]", "bad: [late, paid]", "paid is both bad and good"),
        ("ignore: [id]", "ignore: [id, age]", "age is named twice"),
        ("low: 18", "low: 200", "age has a low above its high"),
        ("low: 18", "lowest: 18", "columns.age.whole.lowest: Extra inputs"),
        ("low: 18", "low: inf", "columns.age.whole.low"),
        ("low: 1}", "low: 0}", "column loan must be a number with a low above 0"),
        ("term: 24", "term: 0", "term: want one of `columns`, or a number above 0, not 0"),
        ("  age:", "  month:", "keeps the name month for itself"),
        ("group: sex", "term: 36", "term is given twice"),
        ("columns:", "columns: [", "is not YAML or JSON"),
    ],
)
def test_a_wrong_specification_says_where(table: Callable[..., OwnData], old: str, new: str, said: str) -> None:
    assert old in SPEC
    with pytest.raises(SourceError, match=re.escape(said)):
        table(GOOD, spec=SPEC.replace(old, new, 1))


def test_words_that_yaml_would_change_stay_words(table: Callable[..., OwnData]) -> None:
    spec = SPEC.replace("[own, rent, family]", "[no, rent, 01]").replace("good: [paid]", "good: [0]")
    source = table(GOOD.replace("rent", "no").replace("paid", "0"), LATE.replace("own", "01"), spec=spec)
    assert load_table(source.path, source.spec)["home"].tolist() == ["no", "01"]


@pytest.fixture
def own(table: Callable[..., OwnData], registry: Registry, tmp_path: Path) -> TrainingRun:
    spec = SPEC.replace("home:", '"Home: now":')  # LightGBM takes no such name
    (source := table(*many(), spec=spec)).path.write_text("\n".join([HEADER.replace("home", "Home: now"), *many()]))
    return run_training(TrainingConfig(rounds=20), source, tmp_path / "run", registry)


def test_the_specification_travels_with_the_model(own: TrainingRun, registry: Registry, tmp_path: Path) -> None:
    model, stored = own.model(), registry.load(str(own.version))
    assert sorted(own.holdout()["month"].unique()) == [8, 9]  # the last months, not every fifth row
    assert own.evaluation.auc > 0.65
    assert stored.spec == model.spec
    assert stored.digest == model.digest
    assert stored.predict(own.holdout()).tobytes() == model.predict(own.holdout()).tobytes()
    text = own.model_path.read_text()
    (tmp_path / "cut.txt").write_text(text[:-20])
    with pytest.raises(ModelError, match="not a whole LightGBM model"):
        CreditModel.load(tmp_path / "cut.txt")


def test_a_service_takes_the_fields_of_the_specification(own: TrainingRun) -> None:
    model = own.model()
    good = {"age": 40, "income": 500.0, "loan": 5000, "Home: now": "rent"}
    with TestClient(create_app(model, "1")) as client:
        scored = client.post("/score", json=good).json()
        assert scored["default_probability"] == model.predict(own.holdout().head(0).reindex([0]).assign(**good))[0]
        assert client.post("/score", json={**good, "income": None}).status_code == 200
        wrong = client.post("/score", json={**good, "age": 40000})
        fault = {"field": "age", "wanted": "a whole number from 18 to 110"}
        assert (wrong.status_code, wrong.json()["errors"][0] | fault) == (422, wrong.json()["errors"][0])
    with TestClient(scoring_app(Fixed(Loaded("1", model)))) as client:  # the bank's service
        bank = {
            "age": 30, "income": 2000.0, "debts": 0.0, "employment": "salaried", "years_employed": 1.0,
            "housing": "rent",
            "bureau_score": 600.0, "delinquencies": 0, "purpose": "car", "region": "north", "channel": "web",
            "amount": 5000.0, "term": 24,
        }  # fmt: skip
        refused = client.post("/score", json=bank)
        assert refused.status_code == 503
        assert "of other data than this service takes" in refused.json()["detail"]


def test_the_command_of_the_readme_trains_and_registers(table: Callable[..., OwnData], tmp_path: Path) -> None:
    table(*many())
    typed = re.search(r"^`python3 bootstrap.py exec python (.*)`$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert typed
    command = [sys.executable, *typed[1].split()]
    done = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "version 1 is champion" in done.stdout
    assert Registry(tmp_path / "runs" / "loans" / "registry", create=False).load().spec.source
    table(GOOD.replace("30", "40000", 1))
    done = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert (done.returncode, "line 2, column age: '40000'" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_a_date_whose_month_fits_no_column_goes_to_the_quarantine(small_world: World, tmp_path: Path) -> None:
    month = small_world.applications(0).head(5).drop(columns="month").astype({"applied_on": str})
    month.loc[3, "applied_on"] = "9999-01-01"
    (tmp_path / "in").mkdir()
    month.to_csv(tmp_path / "in" / "a.csv", index=False)
    report, lake = take_in(tmp_path / "in", Lake(tmp_path / "lake"), tmp_path / "aside"), Lake(tmp_path / "lake")
    assert (report.taken, report.quarantined) == (4, 1)
    assert read_quarantine(lake, tmp_path / "aside")["reason"].tolist() == ["applied_on is too far from January 2024"]


@pytest.mark.parametrize("codes", [[1, 2], ["yes", "no"]])
def test_outcomes_of_another_coding_are_refused(tmp_path: Path, codes: list[object]) -> None:
    path = tmp_path / "outcomes.parquet"
    write_parquet(pd.DataFrame({"application_id": [1, 2], "known_month": 0, "defaulted": codes}), path)
    with scratch(tmp_path) as database, pytest.raises(LakeError, match="wanted: true or false"):
        LatestOutcomes(database, [path], None)
