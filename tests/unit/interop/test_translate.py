"""What messages say, segment by segment."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.interop.domain import languages
from services.interop.domain.feed import Provenance, Quirks
from services.interop.domain.message import MessageState
from services.interop.domain.report import (
    Address,
    Diagnosis,
    Identifier,
    Name,
    PartialDate,
    Telecom,
)
from services.interop.domain.telecoms import to_e164
from services.registry.domain import encounter as registry_encounter
from tests.unit.interop.conftest import EVN, FACILITY, NOW, PID, PV1, message, report_of, verdict_on


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def segment(name, **fields):
    places = {int(key.lstrip("f")): value for key, value in fields.items()}
    out = [name] + [""] * max(places)
    for place, value in places.items():
        out[place] = value
    return "|".join(out)


def person_of(pid, **options):
    return report_of(message(EVN, pid, PV1), **options).person


def visit_of(*segments, trigger="A01", **options):
    return report_of(message(EVN, PID, *segments, trigger=trigger), **options).visit


def test_a_whole_person():
    pid = segment(
        "PID",
        f3="12345^^^MERCY^MR~999^^^&1.2.3&ISO^PI",
        f5="DOE&VAN^JANE^Q ANN^JR^^^L~ROE^^^^^^M",
        f7="19500102",
        f8="f",
        f11="1 MAIN ST&MAIN^APT 2^SPRINGFIELD^IL^62701^USA^H",
        f13="^PRN^PH^jane@example.org^1^217^5551234~(312)555-0000 x12",
        f14="^WPN^FX^^^217^5559999",
        f15="spa^Spanish^ISO",
        f19="123-45-6789",
        f29="20260901103000",
        f30="Y",
    )
    person = person_of(pid)
    assert person.identifiers == (
        Identifier("MERCY", "12345", "MR"),
        Identifier("1.2.3", "999", "PI"),
        Identifier("USSSA", "123456789", "SS"),
    )
    assert person.names == (
        Name("DOE", ("JANE", "Q", "ANN"), "L", "JR"),
        Name("ROE", (), "M", ""),
    )
    assert person.birth_on == PartialDate(1950, 1, 2)
    assert person.sex == "F"
    assert person.addresses == (Address(("1 MAIN ST", "APT 2"), "SPRINGFIELD", "IL", "62701", "H"),)
    assert person.telecoms == (
        Telecom("jane@example.org", True, "PRN"),
        Telecom("+12175551234", False, "PRN"),
        Telecom("+13125550000", False, "PRN"),
    )
    assert person.language == "es"
    assert (person.death_indicator, person.died_at) == ("Y", at("2026-09-01T15:30:00"))


@pytest.mark.parametrize(
    ("quirks", "assigner"),
    [(Quirks(), "MERCY"), (Quirks(default_assigner="MERCY-MPI"), "MERCY-MPI")],
)
def test_a_number_without_an_assigner_gets_the_feed_s_or_the_sender_s(quirks, assigner):
    person = person_of(segment("PID", f3="77"), quirks=quirks)
    assert person.identifiers == (Identifier(assigner, "77", ""),)


@pytest.mark.parametrize("ssn", ["000-12-3456", "999999999", "123", "123-45-678X", "666123456"])
def test_fillers_are_no_social_security_numbers(ssn):
    person = person_of(segment("PID", f3="77^^^M^MR", f19=ssn))
    assert [each.type for each in person.identifiers] == ["MR"]


def test_two_quotes_delete_and_empty_says_nothing():
    person = person_of(segment("PID", f3="77", f5='""', f8="", f11='""', f13='""', f30='""'))
    assert person.cleared == ("names", "addresses", "death_indicator", "telecoms")
    assert (person.names, person.addresses) == ((), ())


def test_one_deleted_telephone_does_not_delete_the_other():
    person = person_of(segment("PID", f3="77", f13='""', f14="2175551234"))
    assert (person.cleared, len(person.telecoms)) == ((), 1)


@pytest.mark.parametrize(
    ("country", "said", "number"),
    [
        ("", "2175551234", "+12175551234"),
        ("", "(217) 555-1234", "+12175551234"),
        ("", "1-217-555-1234", "+12175551234"),
        ("1", "2175551234", "+12175551234"),
        ("", "+44 20 7946 0000", "+442079460000"),
        ("52", "5512345678", "+525512345678"),
        ("", "217-555-1234 ext. 9", "+12175551234"),
        ("", "5551234", "5551234"),
        ("", "1112223333", "1112223333"),
        ("", "none", ""),
    ],
)
def test_telephone_numbers(country, said, number):
    assert to_e164(country, said) == number


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("es", "es"),
        ("SPA", "es"),
        ("Spanish", "es"),
        ("en-US", "en-US"),
        ("zh_hant_TW", "zh-Hant-TW"),
        ("chi", "zh"),
        ("hmn", "hmn"),
        ("Cantonese", "yue"),
        ("Klingon", ""),
        ("1", ""),
    ],
)
def test_languages(said, tag):
    assert languages.to_tag(said) == tag


def test_a_whole_visit():
    visit = visit_of(
        segment(
            "PV1",
            f2="I",
            f3="4W^401^A^MERCY",
            f4="E",
            f7="37^SMITH^JOHN^^JR^DR",
            f19="V100^^^MERCY^VN",
            f36="01",
            f44="202608301200",
            f45="20260901100000",
        ),
        segment("PV2", f3="^Chest pain"),
        "DG1|1||I50.9^Heart failure^I10||20260901|A",
        "DG1|2|I9||Asthma||W",
        "DG1|3",
        trigger="A03",
    )
    assert visit.visit_number == "V100"
    assert (visit.patient_class, visit.admission_type) == ("I", "E")
    assert (visit.location, visit.attending) == ("4W^401^A", "JOHN SMITH JR")
    assert visit.discharge_disposition == "01"
    assert visit.admitted_at == at("2026-08-30T17:00:00")
    assert visit.discharged_at == at("2026-09-01T15:00:00")
    assert visit.admit_reason == "Chest pain"
    assert visit.diagnoses == (
        Diagnosis("I50.9", "ICD10CM", "Heart failure", "A"),
        Diagnosis("", "I9", "Asthma", "W"),
    )


def test_the_account_stands_in_for_a_visit_number():
    pid = segment("PID", f3="77", f18="ACC9^^^M^AN")
    assert report_of(message(EVN, pid, "PV1|1|E")).visit.visit_number == "ACC9"


def test_the_feed_s_own_codes_are_mapped():
    quirks = Quirks(patient_classes={"INP": "I"}, dispositions={"HOME": "01"})
    visit = visit_of(segment("PV1", f2="INP", f19="V1", f36="HOME"), quirks=quirks)
    assert (visit.patient_class, visit.discharge_disposition) == ("I", "01")


def test_deleted_fields_of_a_visit():
    visit = visit_of(segment("PV1", f2="I", f7='""', f45='""', f19="V1"), segment("PV2", f3='""'))
    assert visit.cleared == ("attending", "discharge_time", "admit_reason")


@pytest.mark.parametrize(
    ("evn", "when"),
    [
        ("EVN||20260901100000||||20260901093000", "2026-09-01T14:30:00"),
        ("EVN||20260901100000", "2026-09-01T15:00:00"),
        ("EVN|A01", "2026-09-01T15:00:00"),
    ],
)
def test_when_it_happened(evn, when):
    assert report_of(message(evn, PID, PV1)).event_at == at(when)


def test_a_message_without_any_time_happened_when_it_came():
    report = report_of(message(PID, PV1, at=""))
    assert (report.event_at, report.message_at) == (NOW, NOW)


def test_a_feed_that_speaks_for_several_facilities():
    north = UUID(int=8)
    quirks = Quirks(facilities={"NORTH": north})
    pv1 = segment("PV1", f2="I", f3="4W^^^NORTH", f19="V1")
    assert report_of(message(PID, pv1), quirks=quirks).facility_id == north
    assert report_of(message(PID, PV1), quirks=quirks).facility_id == FACILITY
    elsewhere = segment("PV1", f2="I", f3="4W^^^SOUTH", f19="V1")
    assert verdict_on(message(PID, elsewhere), quirks=quirks).reason == "FACILITY_UNKNOWN"


@pytest.mark.parametrize(
    ("segments", "codes"),
    [
        ([], ()),
        (["ARV|1|A|HIV"], ("HIV",)),
        (
            ["ARV|1|A|DRG^Drug^HL70717~PSY|ETH|||R", "ARV|2|U|STD"],
            ("DRG", "PSY", "ETH", "R", "STD"),
        ),
        (["ARV|1|D|HIV"], ()),
        (['ARV|1|A|""'], ()),
        (["PD1" + "|" * 12 + "Y"], ("R",)),
        (["PV2" + "|" * 22 + "N"], ()),
        (["PV2" + "|" * 22 + "y", "ARV|1|A|ALL"], ("ALL", "R")),
    ],
)
def test_how_the_sender_restricts_access_in_its_own_codes(segments, codes):
    assert report_of(message(EVN, PID, PV1, *segments)).confidentiality == codes


def test_the_header_classifies_the_message():
    tail = "P|2.9" + "|" * 14 + "V"
    assert report_of(message(EVN, PID, PV1, tail=tail)).confidentiality == ("V",)


@pytest.mark.parametrize("trigger", ["A01", "A31", "A40"])
def test_every_report_says_what_is_known_of_its_feed(trigger):
    known = Provenance(is_part2_program=True, sends_labels=True)
    said = message(
        EVN, PID, *(["MRG|9^^^MERCY^MR"] if trigger == "A40" else [PV1]), trigger=trigger
    )
    assert report_of(said, provenance=known).provenance == known
    assert report_of(said).provenance == Provenance()


def test_a_merge_with_its_groups():
    raw = message(
        EVN,
        "PID|1||A1^^^M^MR||DOE^JANE",
        "PD1",
        "MRG|A2^^^M^MR~A3^^^M^MR",
        "PID|2||B1^^^M^MR",
        "MRG|B2^^^M^MR",
        trigger="A40",
    )
    first, second = report_of(raw).merges
    assert [each.value for each in first.retired] == ["A2", "A3"]
    assert first.survivor.names[0].family == "DOE"
    assert second.survivor.identifiers == (Identifier("M", "B1", "MR"),)


def test_a_survivor_of_several_merges_takes_them_all():
    raw = message(
        EVN,
        "PID|1||A1^^^M^MR||DOE^JANE",
        "MRG|A2^^^M^MR",
        "MRG|A3^^^M^MR",
        "PID|2||B1^^^M^MR",
        "MRG|B2^^^M^MR",
        trigger="A40",
    )
    first, second = report_of(raw).merges
    assert [each.value for each in first.retired] == ["A2", "A3"]
    assert [each.value for each in second.retired] == ["B2"]


def test_a_person_without_a_visit():
    report = report_of(message(EVN, PID, trigger="A31"))
    assert (report.visit, report.person.sex) == (None, "F")


def test_an_update_may_be_about_the_person_alone():
    assert report_of(message(EVN, PID, trigger="A08")).visit.visit_number == ""


@pytest.mark.parametrize(
    ("segments", "trigger", "place", "reason"),
    [
        ((EVN, PV1), "A01", "PID", "PATIENT_MISSING"),
        ((EVN, "PID|1|||||||F", PV1), "A01", "PID-3", "IDENTIFIER_MISSING"),
        ((EVN, "PID|1||7||DOE||soon", PV1), "A01", "PID-7", "DATE_UNREADABLE"),
        (("EVN||yesterday", PID, PV1), "A01", "EVN-2", "TIME_UNREADABLE"),
        ((EVN, PID, "PV1|1|INP"), "A01", "PV1-2", "PATIENT_CLASS_UNKNOWN"),
        ((EVN, PID, "PV1|1|I" + "|" * 43 + "noon"), "A03", "PV1-45", "TIME_UNREADABLE"),
        ((EVN, PID), "A01", "PV1", "VISIT_MISSING"),
        ((EVN, PID, PV1, PV1), "A01", "PV1", "VISIT_NOT_ONE"),
        ((EVN, PID, PID, PV1), "A01", "PID", "PATIENT_NOT_ONE"),
        ((EVN, PID, PV1, "MSH|^~\\&|X"), "A01", "MSH", "MESSAGE_NOT_ONE"),
        ((EVN, PID), "A40", "PID", "RETIRED_MISSING"),
        ((EVN, PID, "MRG|"), "A40", "MRG-1", "RETIRED_MISSING"),
        ((EVN, PID, PID, "MRG|1"), "A40", "PID", "RETIRED_MISSING"),
        ((EVN, PID, "MRG|1", "MRG|"), "A40", "MRG-1", "RETIRED_MISSING"),
        ((EVN, PID, PID), "A37", "MSH-9", "UNLINK_NOT_FOLLOWED"),
        ((EVN, "PID|1||7||" + "x" * 70_000, PV1), "A01", "PID", "REPORT_TOO_LONG"),
        ((EVN, "PID|1||" + "7~" * 600, PV1), "A01", "PID", "REPORT_TOO_LONG"),
        ((EVN, *["PID|1||" + "7~" * 400, "MRG|8"] * 60), "A40", "PID", "REPORT_TOO_LONG"),
    ],
)
def test_what_cannot_be_read_is_set_aside_and_says_where(segments, trigger, place, reason):
    verdict = verdict_on(message(*segments, trigger=trigger))
    assert (verdict.code, verdict.state) == ("AA", MessageState.QUARANTINED)
    assert verdict.reason == reason
    assert verdict.explanation.startswith(f"{place}: ")


def pv1(**fields):
    return segment("PV1", **{"f2": "I", "f19": "V100"} | fields)


AHEAD = "20270903160000"  # NOW is 10:00 in Chicago, a year and two days before


@pytest.mark.parametrize(
    ("trigger", "segments", "place"),
    [
        ("A03", (segment("EVN", f2="20360901100000"), PID, PV1), "EVN-2"),
        ("A03", (segment("EVN", f2="20260901100000", f6=AHEAD), PID, PV1), "EVN-6"),
        ("A01", (EVN, PID, pv1(f44=AHEAD)), "PV1-44"),
        ("A03", (EVN, PID, pv1(f45="20360901")), "PV1-45"),
        ("A31", (EVN, segment("PID", f3="7", f29=AHEAD)), "PID-29"),
        ("A31", (EVN, segment("PID", f3="7", f7="20280102")), "PID-7"),
        ("A05", (segment("EVN", f2=AHEAD), PID, pv1(f44=AHEAD)), "EVN-2"),
    ],
)
def test_what_lies_in_the_future_did_not_happen(trigger, segments, place):
    verdict = verdict_on(message(*segments, trigger=trigger))
    assert (verdict.state, verdict.reason) == (MessageState.QUARANTINED, "TIME_IN_FUTURE")
    assert verdict.explanation.startswith(f"{place}:")
    assert AHEAD not in verdict.explanation


@pytest.mark.parametrize(
    ("trigger", "visit"),
    [
        ("A05", pv1(f44="20280101")),
        ("A14", pv1(f44="20280101")),
        ("A16", pv1(f45="20280101")),
        ("A08", pv1(f2="P", f44="20280101")),
        ("A01", pv1(f44="20270902095900")),
    ],
)
def test_what_is_planned_may_lie_ahead_and_a_clock_may_be_a_day_fast(trigger, visit):
    assert report_of(message(EVN, PID, visit, trigger=trigger))


def test_a_message_made_in_the_future_was_made_when_it_came():
    verdict = verdict_on(message(EVN, PID, PV1, at="20360901100000"))
    assert verdict.report.message_at == NOW
    assert any("MSH-7" in note.text for note in verdict.notes)


@pytest.mark.parametrize("said", sorted({*registry_encounter._CLASSES, "N", "U", "C"}))
def test_every_class_that_the_record_knows_reaches_it(said):
    visit = visit_of(pv1(f2=said))
    assert visit.patient_class == said
    known = registry_encounter._CLASSES.get(said)
    assert registry_encounter.to_class(visit.patient_class) == (
        known or ((said == "C" and "OTHER") or None)
    )
    assert visit_of(pv1(f2="X1"), quirks=Quirks(patient_classes={"X1": said})).patient_class == said
