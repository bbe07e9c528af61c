"""How a bank treats its model in service: what it watches, when it learns again, what it lets through."""

import math
from dataclasses import dataclass

from oakbank.deploy.gate import Gate, GateResult, enough_rows, not_worse_auc
from oakbank.governance.fairness import fairness_gate
from oakbank.pipelines import Evaluation


@dataclass(frozen=True)
class Policy:
    """Decides, from what the bank can see. Nothing here may look at the world's truth."""

    name: str
    check_feed: bool
    """Check each month's feed and repair it before scoring; months that had to be repaired teach nobody."""
    retrain: bool
    """Watch drift and performance, and train again when the trigger fires."""
    window: int = 24
    """Months of labels to learn from."""
    half_life: float | None = None
    """Months after which a label counts half, in a training that a performance alarm started: the same people pay back
    otherwise than they did, so old labels are wrong. In other trainings all count alike: new kinds of people do not
    make the labels of the old kinds wrong. None: always alike."""
    holdout: int = 1
    """Last months of the window, on which a challenger has to show itself. Not more than `cool_down`: the champion
    would have learned from a part of them, and look better than it is."""
    cool_down: int = 1
    """Least months between two trainings."""
    max_age: int = 12
    """Months after which a model is replaced in any case."""
    min_rows: int = 300
    """Least rows of a hold-out, for a challenger to be promoted on; a fifth of it for each protected group."""
    rollback_z: float | None = None
    """Go back to the previous champion when the new one's log-loss is worse by so many standard errors, on loans that
    neither has learned from; None: never."""

    def gates(self) -> tuple[Gate, ...]:
        """Return what a challenger must pass.

        Profit is not among it: the hold-out holds only loans that a champion granted, so a challenger is credited for
        those it would decline, never for those it would grant in their place.
        """
        if not self.retrain:
            return (enough_rows(1),)
        return (
            enough_rows(self.min_rows),
            not_worse_auc(0.02),
            better_calibrated(),
            fairness_gate(min_rows=self.min_rows // 5, undecided="ratio"),  # one month's loans seldom settle it
        )


def better_calibrated(tolerance: float = 0.03) -> Gate:
    """Return a gate: calibrated within `tolerance` (or two standard errors, if more), or at least as the champion is.

    After a recession has begun no challenger is well calibrated on its hold-out, whose loans are newer than all it
    learned from. To refuse it then would keep a champion that is further off.
    """

    def gate(challenger: Evaluation, champion: Evaluation | None) -> GateResult:
        gap = abs(challenger.mean_probability - challenger.default_rate)
        chance = math.sqrt(challenger.default_rate * (1 - challenger.default_rate) / challenger.rows)
        most = max(tolerance, 2 * chance)
        if champion is not None:
            most = max(most, abs(champion.mean_probability - champion.default_rate))
        detail = f"predicted {challenger.mean_probability:.3f}, happened {challenger.default_rate:.3f}, "
        return GateResult("better_calibrated", gap <= most, detail + f"at most {most:.3f} apart wanted")

    return gate


NEGLECT = Policy(name="neglect", check_feed=False, retrain=False)
"""Train once, deploy, look away."""
CARE = Policy(name="care", check_feed=True, retrain=True, half_life=3.0, max_age=6, rollback_z=3.0)
"""Watch the feed, the drift and the outcomes; learn again when they say so; let nothing through unmeasured."""
