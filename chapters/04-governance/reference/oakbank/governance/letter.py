"""The letter to a declined applicant: its reasons in plain words, and no letter that an eighth-grader cannot read.

No law asks for the eighth grade. It asks that reasons are specific (12 CFR 1002.9(b)(2)), and in the EU that they are
concise and in clear and plain language (GDPR, article 12(1)). A complete notice also names the creditor and its
supervisor, and holds the texts that the law spells out: this is the part that a model has to do with.
"""

from collections.abc import Sequence

from oakbank.governance.reading import HIGHEST, require_grade
from oakbank.governance.reasons import ReasonCode

_OPENING = (
    "We have looked at your request {number} for a loan. We are sorry that we cannot grant it. "
    "These are our main reasons, and the first one counts most. "
    "By 'typical' we mean the middle of the loans that we grant."
)
_CLOSING = (
    "If one of these points were different, our answer could still be no. "
    "You can ask us to have a person look at this again. Tell that person what you think we got wrong."
)


def decline_letter(number: int, codes: Sequence[ReasonCode], highest: float = HIGHEST) -> str:
    """Return the letter for a declined application; its paragraphs have an empty line between them.

    Args:
        number: Of the application.
        codes: Its reasons, as `reason_codes` returns them.
        highest: The Flesch-Kincaid grade that each paragraph may have.

    Raises:
        ReadingError: A paragraph is above that grade; its hardest sentence is named.
        ValueError: There are no reasons: a person has to look at the application.
    """
    if not codes:
        raise ValueError(f"application {number} has no reasons: a person has to look at it before a letter is sent")
    reasons = [f"{place}. {code.text}" for place, code in enumerate(codes, 1)]
    letter = "\n\n".join([_OPENING.format(number=number), *reasons, _CLOSING])
    require_grade(letter, highest)
    return letter
