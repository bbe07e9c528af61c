"""Who the bank's customers are: number, name and e-mail, and which applications are theirs.

The simulator knows applicants without names. Names here are drawn from the number of the application alone, so nobody's
name depends on who else applied, and some people share theirs.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oakbank.world.simulator import IDS_PER_MONTH

SHARE_WHO_RETURN = 10
"""One in so many applicants applied the month before, too."""
_GIVEN = """Ada Anton Ben Birgit Cem Clara Dana David Elif Emil Felix Frida Greta Hugo Ines Jonas
Katja Liam Mira Noah Olga Pavel Quinn Rosa Samir Tilda Umut Vera Willem Xenia Yusuf Zoe"""
_FAMILY_START = "Al Bar Cor Dun El Far Gor Hal Is Jor Kel Lor Mar Nor Os Pel Rad Sol Tor Ul Ver Wes"
_FAMILY_END = "berg dahl ford gren heim ic ko lund mann nov ova ral sen ski stein tis vik wood"
_PRIME = 9_999_999_967
_TABLES = """
CREATE TABLE IF NOT EXISTS customers (number TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS applications (
    application_id INTEGER PRIMARY KEY, number TEXT NOT NULL REFERENCES customers, month INTEGER NOT NULL,
    kept_until INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS by_name ON customers (name);
CREATE INDEX IF NOT EXISTS by_number ON applications (number);
"""


class PersonError(LookupError):
    """Nobody, or more than one, is meant; the message says what to ask for."""


@dataclass(frozen=True)
class Customer:
    """A row of the register."""

    number: str
    name: str
    email: str


@dataclass(frozen=True)
class Person:
    """Whose data it is, by everything that names them in a store."""

    number: str
    name: str
    email: str
    applications: tuple[int, ...]
    features: tuple[tuple[float, ...], ...]
    """What a model saw of each application, as float32: a table of features has no other name for a person."""

    def matrix(self) -> NDArray[np.float32]:
        """Return the features, shape (applications, features)."""
        return np.array(self.features, dtype=np.float32)


class Customers:
    """The register, and the file of each contract: one SQLite file, in which deleted rows are overwritten.

    Args:
        path: The file; it is made where there is none.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def register(self, applications: Sequence[tuple[int, int, Customer]]) -> None:
        """Note applications: id, month and customer. What is known already stays."""
        with self._database() as database:
            people = {(one.number, one.name, one.email) for _, _, one in applications}
            database.executemany("INSERT OR IGNORE INTO customers VALUES (?, ?, ?)", sorted(people))
            rows = [(number, one.number, month) for number, month, one in applications]
            database.executemany("INSERT OR IGNORE INTO applications VALUES (?, ?, ?, NULL)", rows)

    def grant(self, contracts: Sequence[tuple[int, int]]) -> None:
        """Note contracts: the application, and the month until which the law keeps the file."""
        with self._database() as database:
            rows = [(until, application) for application, until in contracts]
            database.executemany("UPDATE applications SET kept_until = ? WHERE application_id = ?", rows)

    def find(self, name_or_number: str) -> str:
        """Return the number of the one customer who has this number or this name.

        Raises:
            PersonError: Nobody has it, or several people share the name.
        """
        query = "SELECT number, email FROM customers WHERE number = ? OR name = ? ORDER BY number"
        with self._database() as database:
            found = database.execute(query, [name_or_number, name_or_number]).fetchall()
        if not found:
            raise PersonError(f"no customer {name_or_number!r}: check the spelling, or ask for the customer number")
        if len(found) > 1:
            raise PersonError(
                f"{len(found)} customers are called {name_or_number!r}: ask for the number or for what only one of "
                "them knows; an answer to the wrong one is a breach"
            )
        return str(found[0][0])

    def get(self, number: str) -> Customer:
        """Return a customer.

        Raises:
            PersonError: There is no such number.
        """
        with self._database() as database:
            found = database.execute("SELECT * FROM customers WHERE number = ?", [number]).fetchone()
        if found is None:
            raise PersonError(f"no customer {number!r}: the number is wrong, or the customer was erased")
        return Customer(*found)

    def applications(self, number: str) -> dict[int, int]:
        """Return the month of each of a customer's applications, by id."""
        query = "SELECT application_id, month FROM applications WHERE number = ? ORDER BY application_id"
        with self._database() as database:
            return dict(database.execute(query, [number]).fetchall())

    def contracts(self, number: str) -> dict[int, int]:
        """Return the month until which the law keeps each of a customer's contracts, by application."""
        query = "SELECT application_id, kept_until FROM applications WHERE number = ? AND kept_until IS NOT NULL"
        with self._database() as database:
            return dict(database.execute(query, [number]).fetchall())

    def owners(self) -> dict[int, str]:
        """Return whose each application is."""
        with self._database() as database:
            return dict(database.execute("SELECT application_id, number FROM applications").fetchall())

    def all(self) -> list[Customer]:
        """Return all customers, by number."""
        with self._database() as database:
            return [Customer(*row) for row in database.execute("SELECT * FROM customers ORDER BY number")]

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=60)) as database:
            database.executescript("PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;" + _TABLES)
            with database:
                yield database


def customer_of(application_id: int, months_before: int) -> Customer:
    """Return who made an application; one in `SHARE_WHO_RETURN` is whoever made that of the month before.

    Args:
        application_id: The application; the id tells place and month.
        months_before: How many months of the world come before it.
    """
    origin = application_id
    while months_before and _draw(origin, "returns") % SHARE_WHO_RETURN == 0:
        origin, months_before = origin - IDS_PER_MONTH, months_before - 1
    number = f"C{origin * 7_919_317 % _PRIME:010d}"
    given, family = _pick(_GIVEN, origin), _pick(_FAMILY_START, origin) + _pick(_FAMILY_END, origin)
    mail = f"{given}.{family}.{_draw(origin, 'mail') % 10_000:04d}@mail.example".lower()
    return Customer(number, f"{given} {family}", mail)


def _pick(names: str, origin: int) -> str:
    choice = names.split()
    return choice[_draw(origin, names) % len(choice)]


def _draw(number: int, what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{what}:{number}".encode()).digest()[:8], "big")
