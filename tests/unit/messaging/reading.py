"""How hard an English text is to read: the Flesch-Kincaid grade."""

import re

# Health texts aim at grade 5 to 6 and end at 8 (AHRQ, NIH).
HARDEST_GRADE = 8.0
_SENTENCE = re.compile(r"[.!?:]+(?:\s|$)")
_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^laeiouysxzcgh]es|[^dt]ed|[^laeiouy]e)$")


def grade_of(text: str) -> float:
    """0.39 words per sentence + 11.8 syllables per word - 15.59. Numbers are no words."""
    words = _WORD.findall(text)
    if not words:
        return 0.0
    sentences = max(1, len(_SENTENCE.findall(text)))
    syllables = sum(syllables_of(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def syllables_of(word: str) -> int:
    """Groups of vowels, but for a silent end; never none. Right for nine words of ten, which is what the formula needs."""
    plain = word.lower().replace("'", "")
    return max(1, len(_VOWELS.findall(_SILENT.sub("", plain))))
