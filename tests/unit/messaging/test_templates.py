"""Every text is whole, short, easy, and tells nobody of an illness."""

from datetime import UTC, datetime

import pytest

from services.messaging.domain.gsm import length_of
from services.messaging.domain.template import (
    TemplateProblem,
    day_in,
    language_for,
    languages,
    load,
    read_template,
    telling_words,
    templates,
    time_in,
)
from tests.unit.messaging.reading import HARDEST_GRADE, grade_of, syllables_of

SLOTS = {
    "facility": "Sierra Family Clinic",
    "phone": "217-555-0148",
    "day": "miércoles 30 de septiembre",
    "time": "10:30 a. m.",
}
EVERY = [
    pytest.param(template, language, neutral, id=f"{template.key}-{language}-{neutral}")
    for template in templates().values()
    for language in languages()
    for neutral in (False, True)
]


@pytest.mark.parametrize(("template", "language", "neutral"), EVERY)
def test_a_text_fits_into_few_segments_and_is_filled(template, language, neutral):
    text = template.write(language, SLOTS, is_neutral=neutral)
    length = length_of(text)
    assert "{" not in text
    assert ".." not in text
    assert length.segments <= (2 if language == "en" else 4), text


@pytest.mark.parametrize(("template", "language", "neutral"), EVERY)
def test_a_text_has_no_word_that_tells_of_an_illness(template, language, neutral):
    slots = dict.fromkeys(SLOTS, "x")
    assert telling_words(template.write(language, slots, is_neutral=neutral)) == ()


@pytest.mark.parametrize("template", templates().values(), ids=lambda each: each.key)
def test_an_english_text_can_be_read_in_the_eighth_grade(template):
    slots = SLOTS | {"day": "Monday, May 4"}
    for neutral in (False, True):
        assert grade_of(template.write("en", slots, is_neutral=neutral)) <= HARDEST_GRADE


@pytest.mark.parametrize("template", templates().values(), ids=lambda each: each.key)
def test_what_nobody_asked_for_says_how_to_end_it(template):
    if not template.is_answer:
        for neutral in (False, True):
            assert "STOP" in template.write("en", SLOTS, is_neutral=neutral)
            assert "ALTO" in template.write("es", SLOTS, is_neutral=neutral)


def entry(**fields):
    texts = {"en": ["{facility}: hi."], "es": ["{facility}: hola."]}
    neutral = {"en": ["Hi."], "es": ["Hola."]}
    return {
        "key": "k", "version": 1, "source": "s", "asks": False, "replies": "", "counted": True, "hours": "permitted",
        "texts": texts, "neutral": neutral,
    } | fields  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"texts": {"en": ["Hi."]}}, "it needs en, es"),
        ({"texts": {"en": ["Hi."], "es": ["Hola.", "¿Qué tal?"]}}, "says more"),
        ({"texts": {"en": ["Hi {day}."], "es": ["Hola."]}}, "different slots"),
        ({"texts": {"en": ["Hi {name}."], "es": ["Hola {name}."]}}, "no slot name"),
        ({"neutral": entry()["texts"]}, "names no place"),
    ],
)
def test_a_text_that_is_not_whole_is_not_loaded(fields, says):
    read_template(entry())
    with pytest.raises(TemplateProblem, match=says):
        read_template(entry(**fields))


def test_a_sentence_without_what_it_needs_is_left_out():
    template = templates()["appointment-booked"]
    text = template.write("en", SLOTS | {"phone": ""}, is_neutral=False)
    assert "call" not in text
    assert "your visit is on" in text


def test_a_neutral_text_names_no_place():
    for template in templates().values():
        assert SLOTS["facility"] not in template.write("en", SLOTS, is_neutral=True)


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("é" * 160, 1),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments_are_counted_as_networks_do(text, segments):
    assert length_of(text).segments == segments


def test_a_character_of_two_units_is_not_cut():
    assert length_of("a" * 152 + "€" + "a" * 151).segments == 2
    assert length_of("a" * 152 + "€" + "a" * 152).segments == 3  # of 306 units


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("the", 1),
        ("visit", 2),
        ("appointment", 3),
        ("missed", 1),
        ("reply", 2),
        ("emergency", 4),
        ("places", 2),
    ],
)
def test_syllables(word, count):
    assert syllables_of(word) == count


def test_a_hard_text_is_found_hard():
    hard = "Subsequent hospitalization necessitates comprehensive interdisciplinary reconciliation."
    assert grade_of(hard) > HARDEST_GRADE
    assert grade_of("We missed you. Call us.") < 3


def test_days_and_times_are_written_as_people_do():
    monday = datetime(2026, 9, 7, 9, 5, tzinfo=UTC)
    assert day_in("en", monday) == "Monday, September 7"
    assert day_in("es", monday) == "lunes 7 de septiembre"
    assert (time_in("en", monday), time_in("es", monday)) == ("9:05 AM", "9:05 a. m.")
    assert time_in("en", datetime(2026, 9, 7, 0, 30, tzinfo=UTC)) == "12:30 AM"
    assert time_in("en", datetime(2026, 9, 7, 12, 0, tzinfo=UTC)) == "12:00 PM"


@pytest.mark.parametrize(
    ("tag", "language"),
    [("es", "es"), ("es-MX", "es"), ("ES", "es"), ("en", "en"), ("", "en"), ("vi", "en")],
)
def test_a_language_without_texts_falls_back(tag, language):
    assert language_for(tag) == language


def test_every_file_has_its_version_its_day_and_its_source():
    for name in ("replies.yaml", "words.yaml", "languages.yaml", "response.yaml"):
        assert {"version", "decided_on", "source"} <= set(load(name))
    for each in load("messages.yaml"):
        assert each["version"] >= 1
        assert each["decided_on"]
        assert each["source"]
