"""The model card: what a person who uses or judges the model must know.

The headings follow Mitchell and others, *Model Cards for Model Reporting* (2019).
"""

from oakbank.governance.reports import blocks
from oakbank.governance.reports.document import Document
from oakbank.governance.reports.records import Records

USE = (
    "The model estimates the probability that a person who applies for a consumer loan will not pay it back. The bank "
    "grants where the expected profit is above zero. It is not made for companies, for other products or for finding "
    "fraud, and what breaks the rules of the feed is left to a person."
)
LIMITS = (
    "It learned from people whom the bank had granted a loan, so it may be wrong about others. Its reasons say what it "
    "used, not what would happen if an applicant changed it. An interval speaks of chance in this sample, and not of a "
    "year that is different."
)


def model_card(records: Records) -> Document:
    """Return the card of the model that decided on the day."""
    sections = (
        blocks.section("Model details", records, blocks.identity),
        blocks.section("Intended use", records, blocks.says(USE)),
        blocks.section("Training and evaluation data", records, blocks.data),
        blocks.section("Measures", records, blocks.measured, blocks.calibration),
        blocks.section("Groups", records, blocks.fairness),
        blocks.section("Reasons for declines", records, blocks.declines),
        blocks.section("Caveats", records, blocks.says(LIMITS)),
        blocks.section("Who signed, and the log", records, blocks.gates, blocks.changes, blocks.log_head),
    )
    return Document("Model card: Oakbank credit risk", records.as_of, sections)
