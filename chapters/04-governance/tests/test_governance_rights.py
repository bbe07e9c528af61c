"""Access and erasure: of two hundred people in three worlds nothing is left, and the model is that of a world without.

The search by value that says so shares no code with the erasure; `test_governance_rights_search` shows what it finds.
"""

import json
import random
import signal
import subprocess
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from base.process import python
from oakbank.governance import rights
from oakbank.governance.rights.erasure import ErasureError
from oakbank.pipelines import TrainingConfig, run_training
from oakbank.world import Event, Lake, Scenario, World, publish_history, publish_outcomes

PEOPLE, MONTHS = 200, 1
_MISSING = Event(kind="feed_missing", onset=-6, until=-5, column="income")
_UNIT = Event(kind="feed_unit", onset=-4, until=-3, column="debts", factor=12.0)
_SHIFT = Event(kind="data_drift", onset=-5, level={"income_log": -0.2})
SCENARIOS = {"calm": (), "a broken feed": (_MISSING, _UNIT), "a shift": (_SHIFT,)}


def world_of(name: str) -> World:
    return World(5, Scenario(name=name, description="small", applications_per_month=150, events=SCENARIOS[name]))


def opened(folder: Path, name: str) -> rights.Bank:
    bank = rights.Bank(folder)
    bank.open(world_of(name), MONTHS)
    return bank


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> rights.Bank:
    """One bank for many tests: each erases somebody else."""
    return opened(tmp_path_factory.mktemp("rights"), "calm")


@pytest.fixture(scope="module")
def everybody(bank: rights.Bank) -> Iterator[str]:
    """Declined people of month 0, each once: nothing of them may stay."""
    decisions = bank.lake.read("decisions", [0])
    owners = bank.customers.owners()
    declined = [owners[one] for one in decisions.loc[~decisions["granted"], "application_id"].tolist()]
    return iter([number for number in declined if not bank.customers.contracts(number)])


def model_without(world: World, left_out: Iterable[int], folder: Path) -> str:
    """Return the digest of the model of a world in which some people never applied: from nothing, in another folder."""
    lake, others = Lake(folder / "lake"), rights.Without(world, left_out)
    publish_history(others, lake)
    for month in range(MONTHS):
        publish_outcomes(others, lake, month)
    return run_training(TrainingConfig(as_of=MONTHS), lake, folder / "run").model().digest


def learned_from(bank: rights.Bank) -> list[str]:
    """Return whom the champion has learned from, in order."""
    (labelled,) = bank.folder.glob(f"runs/{MONTHS}/ingest/labelled.parquet")
    owners = bank.customers.owners()
    return sorted({owners[one] for one in pd.read_parquet(labelled)["application_id"].tolist()})


def places(found: list[rights.Found], values: Iterable[object]) -> set[str]:
    """Return the places of values that are neither the register's nor an old model's."""
    wanted = set(map(str, values))
    return {
        f"{one.path} {one.place}"
        for one in found
        if one.value in wanted and not one.path.endswith(("/model.lgb", "/model.txt"))
    }


@pytest.mark.long  # three banks are opened, trained twice, emptied and trained again
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_of_two_hundred_people_is_left_and_the_model_is_that_of_a_world_without(
    name: str, tmp_path: Path
) -> None:
    bank = opened(tmp_path / "bank", name)
    (worst, *_) = (bank.registry.folder / "artifacts").rglob("worst.json")
    shown = pd.DataFrame(**json.loads(worst.read_text()))["application_id"].tolist()
    run = worst.parts[-3]
    assert bank.registry.client.get_run(run).data.tags["worst"] == str(shown[0])
    bank.registry.client.delete_run(run)  # a deleted run keeps its artefacts, and MLflow changes no tag of it
    owners, numbers = bank.customers.owners(), [one.number for one in bank.customers.all()]
    people = sorted({owners[one] for one in shown[:10]} | set(random.Random(name).sample(numbers, PEOPLE)))[:PEOPLE]
    left_out = [one for number in people for one in bank.customers.applications(number)]
    values = rights.identifying_many(bank, people)
    receipts = rights.erase_many(bank, {f"E-{n}": number for n, number in enumerate(people)}, as_of=MONTHS)

    found = rights.search(bank.folder, [value for each in values.values() for value in each])
    kept = 0
    by_number = dict(zip(sorted(range(PEOPLE), key=str), receipts, strict=True))
    for place, number in enumerate(people):
        receipt, left = by_number[place], places(found, values[number])
        if receipt.keeps("customers"):
            kept += 1
            assert receipt.keeps("backups")
            assert left
            left = {one for one in left if not one.startswith("customers.db") and "member customers.db" not in one}
        assert left == set(), (number, left)
        assert sum(receipt.removed.values()) > 0
    assert 0 < kept < PEOPLE

    change = receipts[0].model
    assert change is not None
    assert change.hash_before != change.hash_after
    assert change.hash_after == bank.registry.load("champion").digest
    assert change.hash_after == model_without(world_of(name), left_out, tmp_path / "world")
    assert change.hash_before == model_without(world_of(name), [], tmp_path / "all")


def test_one_person_is_erased_and_the_model_is_that_of_a_world_without(bank: rights.Bank, tmp_path: Path) -> None:
    number = learned_from(bank)[7]
    gone, values = list(bank.customers.applications(number)), rights.identifying(bank, number)
    told = {one.store: len(one.rows) for one in rights.access(bank, number, as_of=MONTHS).held}
    receipt = rights.erase(bank, number, request="one", as_of=MONTHS)
    assert {store: rows for store, rows in receipt.found.items() if rows} == told
    assert places(rights.search(bank.folder, values), values[:2]) <= {
        f"{place}table {table} column {column}"
        for place in ("customers.db ", *(f"backups/month=+{m:03d}.zip member customers.db " for m in range(MONTHS)))
        for table, column in (("customers", "number"), ("customers", "email"), ("applications", "number"))
    }
    assert receipt.model is not None
    assert receipt.model.hash_after == model_without(world_of("calm"), gone, tmp_path)
    before = {path: path.read_bytes() for path in bank.folder.rglob("*") if path.is_file()}
    assert rights.erase(bank, number, request="one", as_of=MONTHS) == receipt
    assert {path: path.read_bytes() for path in bank.folder.rglob("*") if path.is_file()} == before


def test_what_is_held_is_told_and_what_is_told_is_all(bank: rights.Bank, everybody: Iterator[str]) -> None:
    number = next(everybody)
    answer = rights.access(bank, number, as_of=MONTHS)
    (decided,) = [one for one in answer.decided if one.month == 0]
    assert (decided.version, decided.model_hash) == ("1", bank.registry.tags("1")["model_hash"])
    assert decided.probability is not None
    page = answer.markdown()
    assert decided.reasons[0] in page
    assert f"{decided.probability:.4f}" in page
    folders = {one.path.split("/")[0] for one in rights.search(bank.folder, rights.identifying(bank, number))}
    of_store = {"logs": "logs", "quarantine": "quarantine", "features": "features", "delta": "analysts' table"}
    of_store |= {"runs": "training runs", "registry": "tracking store", "decisions.db": "decisions"}
    of_store |= {"letters": "letters", "lake": "lake", "backups": "backups", "personal.db": "evidence"}
    of_store |= {"customers.db": "customers"}
    assert {of_store[folder] for folder in folders} == {one.store for one in answer.held}


def test_the_audit_log_holds_and_its_commitments_are_noise(bank: rights.Bank, everybody: Iterator[str]) -> None:
    number = next(everybody)
    commitments = [one.commitment for one in bank.personal.about(number)]
    receipt = rights.erase(bank, number, request="noise", as_of=MONTHS)
    assert list(receipt.commitments) == commitments != []
    assert [bank.personal.open(one) for one in commitments] == [None]
    assert bank.audit.verify().ok
    assert {entry.key for entry in bank.audit} >= {*commitments, "erase-noise"}


def test_a_contract_is_kept_with_its_ground_until_a_month(bank: rights.Bank) -> None:
    decisions = bank.lake.read("decisions", [-1])
    one = int(decisions.loc[decisions["granted"], "application_id"].iloc[0])
    number = bank.customers.owners()[one]
    receipt = rights.erase(bank, number, request="contract", as_of=MONTHS)
    (stay,) = [stay for stay in receipt.stays if stay.store == "customers"]
    assert "17(3)(b)" in stay.ground
    assert stay.until == max(bank.customers.contracts(number).values())
    assert bank.customers.get(number).number == number
    later = rights.erase(bank, number, request="later", as_of=stay.until)
    assert not later.keeps("customers")
    assert later.removed["customers"] > 0
    with pytest.raises(rights.PersonError, match="was erased"):
        bank.customers.get(number)


KILLS = {"in the lake": "lake/outcomes/", "before the second receipt": "erasures/second.json"}


@pytest.mark.parametrize("where", KILLS.values(), ids=KILLS)
def test_killed_half_way_the_same_call_ends_it(bank: rights.Bank, where: str, tmp_path: Path) -> None:
    pair = learned_from(bank)[20:22]
    names = [f"{request}{'' if 'second' in where else '-lake'}" for request in ("first", "second")]
    requests = dict(zip(names, pair, strict=True))
    values = [value for each in rights.identifying_many(bank, pair).values() for value in each]
    told = [{one.store: len(one.rows) for one in rights.access(bank, number, as_of=1).held} for number in pair]
    program = f"""
import os, signal, sys
from pathlib import Path
from oakbank.governance import rights
rename = Path.replace
def replace(path, target):
    if {where!r} in str(target):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, target)
Path.replace = replace
rights.erase_many(rights.Bank({str(bank.folder)!r}), {requests!r}, as_of=1)
"""
    killed = subprocess.run(python("-c", program), capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (bank.folder / "erasures" / "pending.json").exists()
    with pytest.raises(ErasureError, match="is unfinished"):
        rights.erase(bank, pair[0], request="another", as_of=1)
    receipts = rights.erase_many(bank, requests, as_of=1)
    assert [{store: n for store, n in one.found.items() if n} for one in receipts] == told
    assert not (bank.folder / "erasures" / "pending.json").exists()
    assert [path.name for path in bank.folder.rglob(".*.tmp")] == []
    left = rights.search(bank.folder, values)
    assert all("customers.db" in f"{one.path} {one.place}" or one.path.endswith("model.lgb") for one in left)


def test_no_receipt_while_a_copy_lies_where_no_store_says_so(bank: rights.Bank, everybody: Iterator[str]) -> None:
    number = next(everybody)
    copy = bank.folder / "desk" / "for-tuesday.zip"
    copy.parent.mkdir()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(bank.lake.path("applications", 0), "month.parquet")
    with pytest.raises(ErasureError, match=r"still found, in desk/for-tuesday\.zip \(member month\.parquet"):
        rights.erase(bank, number, request="copied", as_of=MONTHS)
    assert not (bank.folder / "erasures" / "copied.json").exists()
    copy.unlink()
    assert rights.erase(bank, number, request="copied", as_of=MONTHS).removed["lake"] > 0


def test_nobody_somebody_else_and_two_of_a_name(bank: rights.Bank, everybody: Iterator[str]) -> None:
    names = pd.Series([one.name for one in bank.customers.all()])
    shared = names[names.duplicated()].iloc[0]
    with pytest.raises(rights.PersonError, match="customers are called"):
        bank.customers.find(shared)
    with pytest.raises(rights.PersonError, match="check the spelling"):
        bank.customers.find("Nobody Atall")
    with pytest.raises(rights.PersonError, match="no customer 'C0'"):
        rights.erase(bank, "C0", request="nobody", as_of=MONTHS)
    with pytest.raises(rights.PersonError, match="no customer 'C0'"):
        rights.access(bank, "C0", as_of=MONTHS)
    number, other = next(everybody), next(everybody)
    for requests, why in (
        ({"a": number, "b": number}, "each of another customer"),
        ({}, "one request or more"),
        ({"../a": number}, "is called like"),
    ):
        with pytest.raises(ErasureError, match=why):
            rights.erase_many(bank, requests, as_of=MONTHS)
    rights.erase(bank, number, request="done", as_of=MONTHS)
    with pytest.raises(ErasureError, match="is done, and"):
        rights.erase(bank, other, request="done", as_of=MONTHS)
    with pytest.raises(rights.PersonError, match="was erased"):
        rights.erase(bank, number, request="again", as_of=MONTHS)
