"""How a reply is read: a table of vectors."""

import pytest

from services.messaging.domain.reply import Meaning, Reading, may_decline, read_reply
from services.messaging.domain.template import Replies

CONFIRM = [
    ("1", "CONFIRMED"), (" 1 ", "CONFIRMED"), ("1.", "CONFIRMED"), ("Y", "CONFIRMED"), ("yes", "CONFIRMED"), ("YES!", "CONFIRMED"),
    ("C", "CONFIRMED"), ("Sí", "CONFIRMED"), ("si", "CONFIRMED"), ("SÍ.", "CONFIRMED"), ("ok", "CONFIRMED"),
    ("2", "DECLINED"), ("N", "DECLINED"), ("no", "DECLINED"), ("X", "DECLINED"), ("No.", "DECLINED"),
    ("R", "REBOOK"), ("r", "REBOOK"), ("otra hora", "REBOOK"),
    ("STOP", "STOP"), ("stop", "STOP"), (" Stop. ", "STOP"), ("QUIT", "STOP"), ("END", "STOP"), ("REVOKE", "STOP"),
    ("OPT OUT", "STOP"), ("opt-out", "STOP"), ("CANCEL", "STOP"), ("UNSUBSCRIBE", "STOP"), ("ALTO", "STOP"), ("no más", "STOP"),
    ("please stop texting me", "STOP"), ("por favor no me escriban", "STOP"), ("Don't text me", "STOP"),
    ("START", "START"), ("iniciar", "START"), ("HELP", "HELP"), ("Ayuda", "HELP"),
    ("988", "CRISIS"), ("I want to die", "CRISIS"), ("quiero morir", "CRISIS"), ("thinking of suicide", "CRISIS"),
    ("please stop, I want to die", "CRISIS"),
    ("I don't want to live", "CRISIS"), ("I don’t want to live.", "CRISIS"), ("i do not want to live anymore", "CRISIS"),
    ("No quiero vivir", "CRISIS"), ("mejor muerta", "CRISIS"), ("voy a acabar con mi vida", "CRISIS"), ("quiero lastimarme", "CRISIS"),
    ("no más mensajes por favor", "STOP"), ("quítenme de la lista", "STOP"), ("change", "REBOOK"),
    ("", "TEXT"), ("3", "TEXT"), ("yes but I have no ride", "TEXT"), ("maybe", "TEXT"), ("who is this", "TEXT"),
    ("My appointment was cancelled", "TEXT"), ("the bus does not stop here", "TEXT"), ("12", "TEXT"),
]  # fmt: skip
BARRIERS = [
    ("1", "TRANSPORT"), ("2", "WORK"), ("3", "FORGOT"), ("4", "COST"), ("5", "FELT_BETTER"), ("6", "FEAR"), ("7", "OTHER"),
    ("no tengo transporte", "TRANSPORT"), ("I had no ride", "TRANSPORT"), ("se me olvidó", ""), ("I forgot", "FORGOT"),
    ("me dio miedo", "FEAR"), ("no dinero", "COST"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "meaning"), CONFIRM)
def test_a_reply_to_a_message_that_asks_for_a_word(text, meaning):
    assert read_reply(text, Replies.CONFIRM) == Reading(Meaning(meaning))


@pytest.mark.parametrize(("text", "barrier"), [pair for pair in BARRIERS if pair[1]])
def test_a_reply_to_the_question_why_a_visit_was_missed(text, barrier):
    assert read_reply(text, Replies.BARRIERS) == Reading(Meaning.BARRIER, barrier)


@pytest.mark.parametrize("text", ["8", "yes", "I had no ride and I forgot", "why do you ask"])
def test_what_names_no_reason_or_two_is_for_a_person(text):
    assert read_reply(text, Replies.BARRIERS) == Reading(Meaning.TEXT)


@pytest.mark.parametrize("replies", Replies)
def test_stop_and_danger_count_whatever_was_asked(replies):
    assert read_reply("STOP", replies).meaning is Meaning.STOP
    assert read_reply("kill myself", replies).meaning is Meaning.CRISIS


def test_a_number_means_nothing_where_nothing_was_asked():
    assert read_reply("1", Replies.NONE) == Reading(Meaning.TEXT)


@pytest.mark.parametrize(
    ("text", "replies", "is_meant"),
    [
        ("Cancel", Replies.CONFIRM, True), ("CANCELAR.", Replies.CONFIRM, True), ("STOP", Replies.CONFIRM, False),
        ("cancel", Replies.NONE, False), ("cancel", Replies.BARRIERS, False),
    ],
)  # fmt: skip
def test_cancel_ends_messages_and_may_be_meant_for_the_visit(text, replies, is_meant):
    assert read_reply(text, replies).meaning is Meaning.STOP
    assert may_decline(text, replies) is is_meant
