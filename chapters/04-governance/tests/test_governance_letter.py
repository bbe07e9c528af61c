"""The letter to a declined applicant: plain enough to read, or not written."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oakbank.governance import wording
from oakbank.governance.letter import decline_letter
from oakbank.governance.reading import HIGHEST, ReadingError, grade, require_grade, sentences, syllables
from oakbank.governance.reasons import ReasonCode, reason_codes
from oakbank.pipelines import OAKBANK, TrainingConfig, grant, run_training
from oakbank.world import Lake, World, publish_history

EASY = "We looked at it. You can ask us why. We will tell you."
OLD = (
    "a loan of 5,800 EUR over 24 months earns enough only below a default probability of 11.6%; "
    "typical when granted: 19.1%"
)
"""How the bank put the reason of 6 in 10 letters, before letters had a grade."""

COUNTED = {
    1: "a the loan month score you're week rhythms sixth paid late earn bought trade 24 1,500 11.6",
    2: "bureau people payment other income's business only asked-for granted table little agree nation careful",
    3: "employer amounted applicant family animal seemingly hybridise history decided probable carefully",
    4: "information material self-employment application",
    5: "probability",
}
"""Syllables as the CMU Pronouncing Dictionary has them; a number in digits counts as one."""


def test_syllables_are_those_of_the_dictionary() -> None:
    wrong = {word: syllables(word) for count, words in COUNTED.items() for word in words.split()
             if sum(syllables(part) for part in word.split("-")) != count}  # fmt: skip
    assert wrong == {}


def test_grade_is_kincaids_formula() -> None:
    assert grade("The cat sat on the mat.") == pytest.approx(0.39 * 6 + 11.8 * 1 - 15.59)
    # 16 words, 23 syllables: an example of Wikipedia's article on the formulas.
    proof = "This sentence, taken as a reading passage unto itself, is being used to prove a point."
    assert grade(proof) == pytest.approx(0.39 * 16 + 11.8 * 23 / 16 - 15.59)
    assert grade(f"{proof} The cat sat on the mat.") == pytest.approx(0.39 * 11 + 11.8 * 29 / 22 - 15.59)


def test_sentences_and_numbers_are_told_apart() -> None:
    assert sentences("1. You asked for 1,500.50 EUR. Why? So!\nNew line") == [
        "You asked for 1,500.50 EUR.", "Why?", "So!", "New line",
    ]  # fmt: skip
    assert sentences("  \n 12. \n") == []
    assert grade("1. We are sorry.") == grade("We are sorry.")
    with pytest.raises(ValueError, match="give sentences"):
        grade("12. 13.")
    with pytest.raises(ValueError, match="give sentences"):
        require_grade("")


def test_hard_paragraph_is_refused_and_its_sentence_named() -> None:
    require_grade(f"{EASY}\n\n{EASY}")
    harder = "The information available was insufficient for an automated decision."
    with pytest.raises(ReadingError, match=r"grade 1\d\.\d, at most 8: .*\(grade \d\d\.\d\): The information avail"):
        require_grade(f"{EASY}\n\n{OLD}. {harder}")
    require_grade(OLD, highest=12)


def test_easy_paragraphs_do_not_make_up_for_a_hard_one() -> None:
    diluted = "\n\n".join([EASY, OLD, *[EASY] * 9])
    assert grade(diluted) < HIGHEST < grade(OLD)
    with pytest.raises(ReadingError, match="default probability"):
        require_grade(diluted)


@pytest.fixture(scope="module")
def month() -> pd.DataFrame:
    return World(11, "calm").applications(0).head(600)


@pytest.fixture(scope="module")
def codes(month: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> list[list[ReasonCode]]:
    folder: Path = tmp_path_factory.mktemp("letter")
    publish_history(World(11, "calm"), Lake(folder / "lake"))
    model = run_training(TrainingConfig(), Lake(folder / "lake"), folder / "run").model()
    return reason_codes(model, month, k=99)


def test_every_letter_that_the_bank_writes_can_be_read(codes: list[list[ReasonCode]]) -> None:
    """All reasons of each declined application, not only the four that it is sent."""
    letters = [decline_letter(number, found) for number, found in enumerate(codes) if found]
    assert len(letters) > 200
    seen = {reason.feature for found in codes for reason in found}
    assert len(seen) >= 14
    assert all(found[0].text in letter for found, letter in zip([c for c in codes if c], letters, strict=True))


def test_every_reason_of_every_applicant_can_be_read(month: pd.DataFrame) -> None:
    """Also those that no model gave: each column with each of its values, on its bad and on its good side."""
    granted = month[grant(np.full(len(month), 0.05), month["amount"], month["term"])]
    writer = wording.Wording(month, granted, np.zeros(len(month)), 0.2)
    reasons = [*wording._NUMBERS, *OAKBANK.categories, "amount", "burden", wording.BREAK_EVEN]
    assert set(reasons) == {*OAKBANK.numeric, *OAKBANK.categories, "burden", wording.BREAK_EVEN}
    for reason in reasons:
        for row in range(200):
            require_grade(writer.text(reason, row))


def test_every_value_of_a_choice_has_its_own_words() -> None:
    assert {name: set(words) for name, words in wording._CHOICES.items()} == {
        name: set(values) for name, values in OAKBANK.categories.items()
    }


def test_letter_with_a_hard_reason_is_not_written(codes: list[list[ReasonCode]]) -> None:
    found = next(found for found in codes if len(found) > 2)
    hard = [found[0], replace(found[1], text=OLD.capitalize()), *found[2:]]
    with pytest.raises(ReadingError, match="A loan of 5,800 eur over 24 months earns enough only"):
        decline_letter(7, hard)
    assert OLD.capitalize() in decline_letter(7, hard, highest=12)


def test_letter_without_reasons_goes_to_a_person() -> None:
    with pytest.raises(ValueError, match="7 has no reasons: a person has to look"):
        decline_letter(7, [])
