"""What a text asks for, and whom it meets."""

import pytest

from services.registry.domain.report import PersonName, Telecom
from services.registry.domain.search import asked_for, filed_under, relevance
from tests.unit.registry.streams import jane, number

KATHERINE = jane(
    number("MRN-0042"),
    names=(PersonName(family="O'Brien-García", given=("Katherine",)),),
    telecoms=(Telecom(value="+16025550134"), Telecom(value="Kate@Example.org", is_email=True)),
)


def meets(text: str) -> bool:
    keys = filed_under(KATHERINE)
    words = asked_for(text)
    return bool(words) and all(relevance([word], keys) for word in words)


@pytest.mark.parametrize(
    "text",
    ["katherine", "KATHRINE", "Catherine", "kath", "obrien", "O'Brien", "garcia", "Garsia",
     "Katehrine", "1980-04-30", "4/30/1980", "30.04.1980", "04-30-80", "April 30, 1980", "30 apr 1980",
     "19800430", "1980", "(602) 555-0134", "602.555.0134", "+1 602 555 0134", "5550134",
     "kate@example.org", "mrn-0042", "MRN0042", "garcia, katherine 1980-04-30"],
)  # fmt: skip
def test_it_meets(text: str) -> None:
    assert meets(text)


@pytest.mark.parametrize(
    "text", ["", " , ", "1980-04-31", "4/30/1981", "6025550135", "smith", "katherine smith", "0042"]
)
def test_it_does_not_meet(text: str) -> None:
    assert not meets(text)


def test_a_word_as_written_tells_more_than_one_that_is_like_it() -> None:
    keys = filed_under(KATHERINE)
    scores = [relevance(asked_for(text), keys) for text in ("katherine", "kather", "catherine")]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 3
