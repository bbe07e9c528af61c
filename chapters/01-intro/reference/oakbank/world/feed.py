"""What a bank sees of its world: deliveries into its lake. Nothing here tells the truth that only the world knows."""

from pathlib import Path

from oakbank.world.lake import Lake, publish_history, publish_month, publish_outcomes
from oakbank.world.simulator import World


class Feed:
    """The deliveries of one world, for code that must not see the world itself: a bank and its policies.

    Args:
        world: Where the deliveries come from.
    """

    def __init__(self, world: World) -> None:
        self.seed = world.seed
        self.label_delay = world.scenario.label_delay
        """Months from an application to its outcome."""
        self.history_months = world.scenario.history_months
        """Months before month 0 that `publish_history` delivers."""
        self._world = world

    def publish_history(self, lake: Lake) -> None:
        """Write the bank's past, see `oakbank.world.publish_history`."""
        publish_history(self._world, lake)

    def publish_month(self, lake: Lake, month: int) -> Path:
        """Write the applications of `month`, see `oakbank.world.publish_month`."""
        return publish_month(self._world, lake, month)

    def publish_outcomes(self, lake: Lake, month: int) -> Path:
        """Write the outcomes that become known in `month`, see `oakbank.world.publish_outcomes`.

        Raises:
            LakeError: There are no decisions for the month of application.
        """
        return publish_outcomes(self._world, lake, month)
