"""What the intake remembers, and what it reports: counts that do not depend on the order of the runs."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class IntakeError(RuntimeError):
    """The intake's own records are damaged; the message says which and what to do."""


@dataclass(frozen=True)
class IntakeReport:
    """What one run took in; in all files together, `taken + quarantined + duplicates == delivered`."""

    files: tuple[str, ...] = ()
    """Files that this run met for the first time, in order of name."""
    refused: dict[str, str] = field(default_factory=dict)
    """Files that could not be taken in, and why. They are tried again by the next run."""
    delivered: int = 0
    """Rows in `files`."""
    taken: int = 0
    """Versions of applications that were new."""
    corrected: int = 0
    """Those of `taken` that stood against another version of the same application: one of the two counts no more."""
    duplicates: int = 0
    """Rows that said nothing new: in a file sent again, or equal to another row."""
    quarantined: int = 0
    """Rows that break the contract."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Why, and how many."""
    months: tuple[int, ...] = ()
    """Months of the lake that were written."""
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By file: columns that the schema does not know (`+name`, dropped) or that were not delivered (`-name`, empty)."""


@dataclass
class Ledger:
    """What was taken in: by the hash of the content, its names and counts; by month, what came of it."""

    deliveries: dict[str, dict[str, Any]]
    months: dict[int, dict[str, int]]

    @classmethod
    def load(cls, path: Path) -> "Ledger":
        """Read the ledger; where there is none yet, it is empty.

        Raises:
            IntakeError: It is damaged.
        """
        try:
            saved = json.loads(path.read_text(encoding="utf-8"))
            return cls(saved["deliveries"], {int(month): counts for month, counts in saved["months"].items()})
        except FileNotFoundError:
            return cls({}, {})
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            raise IntakeError(
                f"{path} cannot be read ({error}): delete it and take in all deliveries again; they give the same lake"
            ) from error

    def as_json(self) -> dict[str, Any]:
        """Return what `load` reads."""
        return {"deliveries": self.deliveries, "months": {str(month): counts for month, counts in self.months.items()}}

    def by_name(self) -> dict[str, str]:
        """Return the hash of what was taken in under each name."""
        return {name: digest for digest, entry in self.deliveries.items() for name in entry["names"]}

    def totals(self) -> "Counter[str]":
        """Return the counts of `IntakeReport` over all that was taken in; a reason's name begins with "!"."""
        totals: Counter[str] = Counter()
        for entry in self.deliveries.values():
            totals["delivered"] += entry["rows"] * len(entry["names"])
            totals["duplicates"] += entry["rows"] * (len(entry["names"]) - 1)
            for reason, count in entry["reasons"].items():
                totals["quarantined"] += count
                totals["!" + reason] += count
        for counts in self.months.values():
            totals.update(counts)
        return totals
