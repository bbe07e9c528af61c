"""What an erasure leaves behind: a receipt that says what was found and removed, and names nobody."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from oakbank.world.files import write_json


@dataclass(frozen=True)
class Stay:
    """What is kept although its erasure was asked for, and why that is allowed."""

    store: str
    rows: int
    ground: str
    """With the article."""
    until: int | None
    """Month in which it goes; None: it says nothing of anybody any more."""


@dataclass(frozen=True)
class ModelChange:
    """The model before and after."""

    version_before: str
    hash_before: str
    version_after: str
    hash_after: str
    as_of: int
    """Month of the training: the same before and after."""


@dataclass(frozen=True)
class Receipt:
    """What was done about one request. Nothing in it tells whose it was."""

    request: str
    as_of: int
    """Month of the erasure, as it was given: no clock is read."""
    found: dict[str, int]
    """Rows, documents or lines of the person, by store."""
    removed: dict[str, int]
    stays: tuple[Stay, ...]
    model: ModelChange | None
    """None: no model had been trained."""
    searched: int
    """Values that were searched for afterwards, in all files; none was found but in what stays."""
    commitments: tuple[str, ...] = field(default=())
    """Of the audit log: nothing opens them any more."""

    def keeps(self, store: str) -> bool:
        """Return whether something stays in a store."""
        return any(stay.store == store for stay in self.stays)

    def save(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        write_json(path, asdict(self))

    @classmethod
    def of(cls, told: dict[str, Any]) -> "Receipt":
        """Return what `save` has written."""
        model = None if told["model"] is None else ModelChange(**told["model"])
        stays = tuple(Stay(**stay) for stay in told["stays"])
        return cls(**told | {"model": model, "stays": stays, "commitments": tuple(told["commitments"])})

    def markdown(self) -> str:
        """Return it as a page for the person."""
        lines = [f"# Erasure {self.request}, month {self.as_of}", "", "| store | found | removed |", "|---|---|---|"]
        lines += [f"| {store} | {rows} | {self.removed.get(store, 0)} |" for store, rows in self.found.items()]
        lines += ["", "## What stays", ""]
        for stay in self.stays:
            until = "" if stay.until is None else f", until month {stay.until}"
            lines.append(f"- {stay.store}: {stay.rows}{until}. {stay.ground}")
        if not self.stays:
            lines.append("Nothing.")
        lines += ["", "## The model", ""]
        if self.model is None:
            lines.append("No model had been trained.")
        else:
            lines += [
                f"- before: version {self.model.version_before}, sha256 {self.model.hash_before}",
                f"- after: version {self.model.version_after}, sha256 {self.model.hash_after}",
            ]
        lines += ["", f"Searched for {self.searched} values in every file afterwards."]
        return "\n".join(lines) + "\n"
