"""A folder with the state: what this declaration has made. Plans are made from it and from the world, and applied."""

import json
from pathlib import Path

from oakbank.scale.infrastructure.bank import Attributes, Resources
from oakbank.scale.infrastructure.kinds import kind_of, look
from oakbank.scale.infrastructure.plan import Change, Plan, make_plan
from oakbank.scale.infrastructure.policy import denials
from oakbank.world.files import write_text


class InfrastructureError(RuntimeError):
    """What cannot go on; the message says what to do."""


class StalePlanError(InfrastructureError):
    """Something was applied after this plan was made."""


class DeniedError(InfrastructureError):
    """A policy forbids this plan."""


class Workspace:
    """Plans and applies, and remembers what it made.

    Without the state, nobody would know that a resource that has left the declaration was ours to delete. It holds
    every attribute, so every secret that was declared, in clear text.

    Args:
        folder: Its `state.json` is the state; without one, nothing has been made yet.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state.json"

    def _state(self) -> tuple[int, Resources]:
        if not self.path.is_file():
            return 0, {}
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            return int(kept["serial"]), dict(kept["resources"])
        except (ValueError, KeyError, TypeError) as error:
            raise InfrastructureError(
                f"{self.path} is no state: take the last good copy, do not begin with none"
            ) from error

    def plan(self, wanted: Resources) -> Plan:
        """Return what has to be done, after a look at the world. What bears a declared name already is taken over.

        Args:
            wanted: The declaration.
        """
        serial, mine = self._state()
        return make_plan(wanted, _as_they_are({**mine, **wanted}), serial)

    def drift(self) -> Plan:
        """Return what would bring the world back to the state: nothing, unless somebody else has changed it."""
        serial, mine = self._state()
        return make_plan(mine, _as_they_are(mine), serial)

    def apply(self, plan: Plan, policy: str | None = None) -> None:
        """Do what a plan says, and write the state after each step, so that a failure half-way forgets nothing.

        Args:
            plan: Made by `plan`, from the state as it is now.
            policy: In Rego; None to ask nobody.

        Raises:
            StalePlanError: The state has changed since the plan was made. Nothing was done.
            DeniedError: The policy forbids the plan. Nothing was done.
        """
        serial, mine = self._state()
        if plan.serial != serial:
            raise StalePlanError(f"the plan was made on state {plan.serial}, and this is {serial}: plan again")
        if policy is not None and (why := denials(plan.to_json(), policy)):
            raise DeniedError("not applied: " + "; ".join(why))
        for change in plan.changes:
            _do(change)
            mine = {address: kept for address, kept in mine.items() if address != change.address}
            if change.after is not None:
                mine[change.address] = change.after
            serial += 1
            write_text(self.path, json.dumps({"serial": serial, "resources": mine}, indent=2) + "\n")


def _as_they_are(resources: Resources) -> Resources:
    found = {address: look(address, attributes) for address, attributes in resources.items()}
    return {address: attributes for address, attributes in found.items() if attributes is not None}


def _do(change: Change) -> None:
    kind = kind_of(change.address)
    if change.after is None:
        kind.delete(_known(change.before))
    elif change.before is None:
        kind.create(change.after)
    else:
        kind.update(change.after)


def _known(attributes: Attributes | None) -> Attributes:
    if attributes is None:
        raise ValueError("a change needs a before or an after")
    return attributes
