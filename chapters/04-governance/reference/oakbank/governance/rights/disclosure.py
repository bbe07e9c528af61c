"""What the bank tells a person who asks (GDPR, art. 15), and what gives that person away in its files."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from oakbank.deploy.batch import as_asked
from oakbank.governance.rights.bank import Bank
from oakbank.governance.rights.people import Customer, Person
from oakbank.governance.rights.scan import Value
from oakbank.governance.rights.stores import STORES
from oakbank.governance.rights.strip import People
from oakbank.pipelines import OAKBANK, build_features, feature_matrix
from oakbank.world import OFFICERS


@dataclass(frozen=True)
class Held:
    """What one store holds."""

    store: str
    purpose: str
    recipients: str
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Decided:
    """One decision."""

    application_id: int
    month: int
    granted: bool
    probability: float | None
    version: str
    """Of the model, or "officers"."""
    model_hash: str | None
    reasons: tuple[str, ...]
    """Of a decline by a model, the strongest first."""
    kept_until: int | None
    """Month until which the law keeps the contract; None: there is no contract."""


@dataclass(frozen=True)
class Access:
    """The answer."""

    customer: Customer
    as_of: int
    held: tuple[Held, ...]
    decided: tuple[Decided, ...]

    def markdown(self) -> str:
        """Return it as a page for the person."""
        lines = [f"# What Oakbank holds about {self.customer.name}, month {self.as_of}", ""]
        lines += ["| where | entries | what for | who else gets it |", "|---|---|---|---|"]
        lines += [f"| {one.store} | {len(one.rows)} | {one.purpose} | {one.recipients} |" for one in self.held]
        for one in self.decided:
            what = "granted" if one.granted else "not granted"
            by = "a loan officer" if one.version == OFFICERS else f"model version {one.version}, no person involved"
            lines += ["", f"## Application {one.application_id}: {what} in month {one.month}", "", f"- decided by {by}"]
            if one.probability is not None:
                lines.append(f"- estimated default probability {one.probability:.4f}")
            lines += [f"- reason: {reason}" for reason in one.reasons]
            if one.kept_until is not None:
                lines.append(f"- the contract is kept until month {one.kept_until}")
        lines += ["", "## Your rights", "", *RIGHTS]
        return "\n".join(lines) + "\n"


RIGHTS = (
    "- to have wrong data corrected, and data erased or restricted (GDPR, art. 16 to 18), and to object (art. 21)",
    "- to have a person look at a decision that a machine made, and to contest it (art. 22(3))",
    "- to complain to the supervisory authority (art. 77)",
    "- the credit bureau is the source of your bureau score (art. 15(1)(g))",
)


def person_of(bank: Bank, number: str) -> Person:
    """Return all that names a customer in the stores.

    Raises:
        PersonError: There is no such number.
    """
    customer, months = bank.customers.get(number), bank.customers.applications(number)
    rows = applications_of(bank, months)
    features = feature_matrix(rows).tolist() if len(rows) else []
    return Person(number, customer.name, customer.email, tuple(months), tuple(map(tuple, features)))


def applications_of(bank: Bank, months: dict[int, int]) -> pd.DataFrame:
    """Return applications by id and month, as delivered; those that the lake no longer has are left out."""
    there = set(bank.lake.months("applications")) & set(months.values())
    if not there:
        return pd.DataFrame()
    rows = bank.lake.read("applications", sorted(there))
    return rows[rows["application_id"].isin(months)].reset_index(drop=True)


def access(bank: Bank, number: str, *, as_of: int) -> Access:
    """Return what the bank holds about a customer, where, what for, and what it decided and why.

    Args:
        bank: The bank.
        number: Of the customer; `bank.customers.find` has it by name.
        as_of: Month of the answer.

    Raises:
        PersonError: There is no such number.
    """
    person = person_of(bank, number)
    people = People([person])
    held = [
        Held(store.name, store.purpose, store.recipients, tuple(row for _, row in store.find(bank, people)))
        for store in STORES
    ]
    contracts = bank.customers.contracts(number)
    months = bank.customers.applications(number)
    decided = [_decided(bank, one, month, contracts.get(one)) for one, month in months.items()]
    return Access(
        bank.customers.get(number),
        as_of,
        tuple(one for one in held if one.rows),
        tuple(one for one in decided if one is not None),
    )


def _decided(bank: Bank, application_id: int, month: int, kept_until: int | None) -> Decided | None:
    if month not in bank.lake.months("decisions"):
        return None
    decisions = bank.lake.read("decisions", [month])
    found = decisions[decisions["application_id"] == application_id]
    if found.empty:
        return None
    row = found.iloc[0]
    version, granted = str(row["model_version"]), bool(row["granted"])
    officers = version == OFFICERS
    return Decided(
        application_id,
        month,
        granted,
        None if np.isnan(row["default_probability"]) else float(row["default_probability"]),
        version,
        None if officers else bank.registry.tags(version)["model_hash"],
        () if officers or granted else _reasons(bank, application_id, month, version),
        kept_until,
    )


def _reasons(bank: Bank, application_id: int, month: int, version: str) -> tuple[str, ...]:
    """Return why a model declined, on the repaired feed; compared with the loans of the year before."""
    from oakbank.governance.reasons import reason_codes  # late: it needs shap

    lake, rows = bank.lake, as_asked(bank.lake, month)
    mine = rows[rows["application_id"] == application_id]
    year = [one for one in lake.months("decisions") if month - 12 <= one < month]
    decisions = lake.read("decisions", year)
    granted = decisions.loc[decisions["granted"], "application_id"]
    others = lake.read("applications", year)
    portfolio = others[others["application_id"].isin(granted)]
    (codes,) = reason_codes(bank.registry.load(version), mine, portfolio=portfolio)
    return tuple(code.text for code in codes)


DIGITS = 7
"""A float with fewer significant digits may be anybody's."""


def identifying(bank: Bank, number: str) -> list[Value]:
    """Return what gives a customer away: number, e-mail, applications, and what nobody else has.

    Of the name that is true of most; of values, of features that were computed and of the predicted probability.

    Raises:
        PersonError: There is no such number.
    """
    return identifying_many(bank, [number])[number]


def identifying_many(bank: Bank, numbers: Sequence[str]) -> dict[str, list[Value]]:
    """Return `identifying` of several customers, by number."""
    names = Counter(one.name for one in bank.customers.all())
    rare = _rare_values(bank)
    values: dict[str, list[Value]] = {}
    for number in numbers:
        one, ids = bank.customers.get(number), list(bank.customers.applications(number))
        known = [one.name] if names[one.name] == 1 else []
        values[number] = [number, one.email, *known, *ids, *(value for each in ids for value in rare.get(each, []))]
    return values


def _rare_values(bank: Bank) -> dict[int, list[float]]:
    """Return the computed values of each application that no other one has."""
    found = defaultdict[int, list[float]](list)
    rows = bank.lake.read("applications", bank.lake.months("applications"))
    decided = bank.lake.read("decisions", bank.lake.months("decisions"))
    features = build_features(rows)
    columns = [(rows["application_id"], features[name].astype(np.float64)) for name in OAKBANK.derived]
    for ids, values in [*columns, (decided["application_id"], decided["default_probability"])]:
        alone = ~values.astype(np.float32).duplicated(keep=False) & values.notna()
        for one, value in zip(ids[alone].tolist(), values[alone].tolist(), strict=True):
            if len(str(np.float32(value)).replace(".", "").strip("0")) >= DIGITS:
                found[one].append(value)
    return found
