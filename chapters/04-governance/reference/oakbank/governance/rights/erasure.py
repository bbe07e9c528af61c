"""Erasing a person from every store, and from the next model (GDPR, art. 17).

What is to be done is written down before the first deletion. Killed at any moment, the same call goes on and ends as if
it had never stopped. No receipt is given while a search by value, which knows nothing of the stores, still finds
anything outside of what stays: somebody has copied data to where nobody had said.

The model is then the one that would have been trained had the person never applied and everybody else been decided as
they were. What a model that had seen the person decided about others is history, and not undone.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path, PurePath
from typing import Any

from oakbank.governance.audit import Draft
from oakbank.governance.rights.bank import Bank
from oakbank.governance.rights.disclosure import identifying_many, person_of
from oakbank.governance.rights.people import Person
from oakbank.governance.rights.receipts import ModelChange, Receipt, Stay
from oakbank.governance.rights.scan import Found, search
from oakbank.governance.rights.stores import CONTRACTS, STORES
from oakbank.governance.rights.strip import People
from oakbank.pipelines import folder_lock
from oakbank.world.files import write_json

LEGAL_DUTY = (
    "GDPR, art. 17(3)(b): the law keeps the file of a contract, Directive (EU) 2015/849, art. 40(1): five years "
    "after its end"
)
NOISE = "GDPR, recital 26: the salt is gone, so a commitment in the audit log is noise and no personal data"


EARLIER_MODELS = (
    "GDPR, art. 17(3)(e): they show why decisions about others were made, and decide nothing any more; each holds the "
    "smallest and the largest value of every feature"
)
MODELS = ("model.lgb", "model.txt")
REGISTER_FILE = "customers.db"
REQUEST = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


class ErasureError(RuntimeError):
    """An erasure that cannot begin or end; the message says what to do. What was removed stays removed."""


def erase(bank: Bank, number: str, *, request: str, as_of: int) -> Receipt:
    """Erase one customer; see `erase_many`."""
    return erase_many(bank, {request: number}, as_of=as_of)[0]


def erase_many(bank: Bank, requests: Mapping[str, str], *, as_of: int) -> list[Receipt]:
    """Erase customers from every store, train the model again without them, and return a receipt each.

    Called again, it changes nothing and returns the same receipts. No other job may write to the bank meanwhile.

    Args:
        bank: The bank.
        requests: Numbers of customers, by the number of their request.
        as_of: Month of the erasure.

    Raises:
        PersonError: There is no such customer.
        ErasureError: A request is done and its customer is still here, others are unfinished, or something of a
            person is found where no store says so.
        PipelineBusyError: Another erasure is going on.
    """
    folder = bank.folder / "erasures"
    pending = folder / "pending.json"
    with folder_lock(folder):
        for stale in folder.glob(".*.tmp"):
            stale.unlink()  # of a call that was killed
        if not pending.exists() and (done := _done(bank, folder, requests)):
            return done
        plan = _plan(bank, pending, requests, as_of)
        people = People([_person(entry) for entry in plan["people"]], kept=plan["kept"])
        for store in STORES:
            store.remove(bank, people)
        model = _train_again(bank, plan["model"])
        _look(bank, plan, pending)
        receipts = _receipts(bank, plan, people, model)
        for receipt in receipts:
            receipt.save(folder / f"{receipt.request}.json")
        bank.audit.append_many([_entry(receipt) for receipt in receipts])
        pending.unlink()
    return receipts


def _done(bank: Bank, folder: Path, requests: Mapping[str, str]) -> list[Receipt]:
    """Return the receipts if the requests are done, nothing if none of them is."""
    for name in requests:
        if not REQUEST.fullmatch(name):
            raise ErasureError(f"a request is called like E-17, by letters, digits and -: not {name[:50]!r}")
    paths = [folder / f"{name}.json" for name in requests]
    if not any(path.exists() for path in paths):
        return []
    if lacking := [path.stem for path in paths if not path.exists()]:
        raise ErasureError(
            f"of these requests, {', '.join(lacking)} is new and others are done: give the new ones only"
        )
    receipts = [Receipt.of(json.loads(path.read_bytes())) for path in paths]
    there = {one.number for one in bank.customers.all()}
    for receipt in receipts:
        number = requests[receipt.request]
        if number in there and not receipt.keeps(CONTRACTS):
            raise ErasureError(f"request {receipt.request} is done, and {number} is still here: take another request")
    return receipts


def _plan(bank: Bank, pending: Path, requests: Mapping[str, str], as_of: int) -> dict[str, Any]:
    """Return what is to be done: what was written down before a kill, or else what is found now, written down."""
    asked = dict(sorted(requests.items()))
    if pending.exists():
        plan: dict[str, Any] = json.loads(pending.read_bytes())
        if plan["requests"] != asked or plan["as_of"] != as_of:
            others = ", ".join(plan["requests"])
            raise ErasureError(f"the erasure of {others} is unfinished: call it again as of month {plan['as_of']}")
        return plan
    if not asked or len(set(asked.values())) < len(asked):
        raise ErasureError("give one request or more, each of another customer")
    persons = [person_of(bank, number) for number in asked.values()]
    contracts = {one.number: bank.customers.contracts(one.number) for one in persons}
    until = {number: max(months.values(), default=as_of) for number, months in contracts.items()}
    values = identifying_many(bank, list(asked.values()))
    people, found = People(persons), {}
    for store in STORES:
        found[store.name] = Counter(owner for owner, _ in store.find(bank, people))
    version = bank.registry.alias("champion")
    tags = {} if version is None else bank.registry.tags(version)
    plan = {
        "as_of": as_of,
        "requests": asked,
        "people": [asdict(person) for person in persons],
        "found": found,
        "kept": {number: month for number, month in until.items() if month > as_of},
        "values": values,
        "commitments": {one.number: [each.commitment for each in bank.personal.about(one.number)] for one in persons},
        "model": tags and {"version": version, "hash": tags["model_hash"], "as_of": int(tags["as_of"])},
    }
    write_json(pending, plan)
    return plan


def _person(told: dict[str, Any]) -> Person:
    return Person(
        **told | {"applications": tuple(told["applications"]), "features": tuple(map(tuple, told["features"]))}
    )


def _train_again(bank: Bank, before: dict[str, Any]) -> ModelChange | None:
    """Train as the model in use was trained, on what is left; on the same data that is the same model."""
    if not before:
        return None
    after = bank.learn(before["as_of"])
    return ModelChange(
        before["version"], before["hash"], after, bank.registry.tags(after)["model_hash"], before["as_of"]
    )


def _look(bank: Bank, plan: dict[str, Any], pending: Path) -> None:
    """Search for everybody's values in every file.

    Raises:
        ErasureError: One of them is where nothing stays.
    """
    owner = {str(value): number for number, values in plan["values"].items() for value in values}
    everything = [value for values in plan["values"].values() for value in values]
    left = [
        found
        for found in search(bank.folder, everything, skip=[pending])
        if not _may_stay(found, kept=owner[found.value] in plan["kept"])
    ]
    if left:
        places = sorted({f"{found.path} ({found.place})" for found in left})
        raise ErasureError(
            f"{len(left)} values are still found, in {'; '.join(places[:5])}: no store of the bank says that data of "
            "people are there; remove them, add the store, and call again"
        )


def _may_stay(found: Found, kept: bool) -> bool:
    if found.path.startswith("registry/artifacts/") and PurePath(found.path).name in MODELS:
        return True  # the smallest and the largest value of each feature stand in LightGBM's text
    return kept and (found.path == REGISTER_FILE or f"member {REGISTER_FILE} table" in found.place)


def _receipts(bank: Bank, plan: dict[str, Any], people: People, model: ModelChange | None) -> list[Receipt]:
    left = {store.name: Counter(owner for owner, _ in store.find(bank, people)) for store in STORES}
    receipts = []
    for request, number in plan["requests"].items():
        found = {store: plan["found"][store].get(number, 0) for store in left}
        kept = {store: rows[number] for store, rows in left.items() if rows[number]}
        stays = [Stay(store, rows, LEGAL_DUTY, plan["kept"][number]) for store, rows in kept.items()]
        commitments = tuple(plan["commitments"][number])
        if commitments:
            stays.append(Stay("audit log", len(commitments), NOISE, None))
        if model and (earlier := [one for one in bank.registry.versions() if one != model.version_after]):
            stays.append(Stay("earlier models", len(earlier), EARLIER_MODELS, None))
        removed = {store: rows - kept.get(store, 0) for store, rows in found.items()}
        values = len(plan["values"][number])
        receipts.append(Receipt(request, plan["as_of"], found, removed, tuple(stays), model, values, commitments))
    return receipts


def _entry(receipt: Receipt) -> Draft:
    return Draft("erase", "data protection", receipt.as_of, f"erase-{receipt.request}", {"request": receipt.request})
