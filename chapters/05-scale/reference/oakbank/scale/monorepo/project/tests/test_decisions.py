from bank import decisions

from tests import APPLICANTS, EXPECTED


def test_the_table_has_the_scores():
    assert decisions.table(APPLICANTS)["score"].tolist() == EXPECTED["m00"]
