"""Models that learn from every row, models that are retrained on schedule, and what each makes of late labels."""

from oakbank.scale.continual.learners import Learner, RowByRow, Scheduled, logistic, trees
from oakbank.scale.continual.loop import blind_spot, live
from oakbank.scale.continual.rehearsal import frozen, officers_loans, on_schedule, rehearse, row_by_row, scores, stream
from oakbank.scale.continual.steering import BoldBroker, judge, refused, steer
from oakbank.scale.continual.watch import first_alarm, losses

__all__ = [
    "BoldBroker",
    "Learner",
    "RowByRow",
    "Scheduled",
    "blind_spot",
    "first_alarm",
    "frozen",
    "judge",
    "live",
    "logistic",
    "losses",
    "officers_loans",
    "on_schedule",
    "refused",
    "rehearse",
    "row_by_row",
    "scores",
    "steer",
    "stream",
    "trees",
]
