from bank import decisions, letters

from tests import APPLICANTS


def test_the_decisions_are_what_the_letters_need():
    letters.NEEDS.validate(decisions.table(APPLICANTS))
