"""People in the loop: a queue of cases for officers, what officers are worth, and explorations by lot."""

from oakbank.governance.review.explore import Exploration
from oakbank.governance.review.officers import Officer, contraction, log_odds, vigilance
from oakbank.governance.review.priority import at_stake, cases_of, uncertain, worth
from oakbank.governance.review.queue import REASONS, Case, Review, ReviewError, ReviewQueue

__all__ = [
    "REASONS",
    "Case",
    "Exploration",
    "Officer",
    "Review",
    "ReviewError",
    "ReviewQueue",
    "at_stake",
    "cases_of",
    "contraction",
    "log_odds",
    "uncertain",
    "vigilance",
    "worth",
]
