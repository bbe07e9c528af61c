"""The difference between what is wanted and what is there, in the words and the JSON of OpenTofu's plans."""

from dataclasses import dataclass
from typing import Any, Literal

from oakbank.scale.infrastructure.bank import Attributes, Resources

Action = Literal["create", "update", "delete"]


@dataclass(frozen=True)
class Change:
    """What would happen to one resource: `before` is None where there is none yet, `after` where there will be none."""

    address: str
    before: Attributes | None
    after: Attributes | None

    @property
    def action(self) -> Action:
        """What has to be done."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "update"

    def to_json(self) -> dict[str, Any]:
        """Return the change as OpenTofu's `show -json` words it, with the attributes that the declaration names."""
        kind, name = self.address.split(".", 1)
        change = {"actions": [self.action], "before": self.before, "after": self.after}
        return {"address": self.address, "type": kind, "name": name, "change": change}


@dataclass(frozen=True)
class Plan:
    """Changes in the order in which they can be made, and the serial number of the state that they were planned on."""

    changes: tuple[Change, ...]
    serial: int = 0

    @property
    def actions(self) -> dict[str, Action]:
        """What would be done, by address."""
        return {change.address: change.action for change in self.changes}

    def to_json(self) -> dict[str, Any]:
        """Return what a policy looks at: `resource_changes`."""
        return {"resource_changes": [change.to_json() for change in self.changes]}


def make_plan(wanted: Resources, actual: Resources, serial: int = 0) -> Plan:
    """Compare what is wanted with what is there.

    Args:
        wanted: In an order in which it can be created.
        actual: What is there, in an order in which it was created.
        serial: Of the state that `actual` was read for.

    Returns:
        First what goes, the youngest first; then what comes or changes, as declared.
    """
    gone = [Change(address, actual[address], None) for address in reversed(actual) if address not in wanted]
    other = [Change(address, actual.get(address), after) for address, after in wanted.items()]
    return Plan((*gone, *(change for change in other if change.before != change.after)), serial)
