"""Medicines before and after a stay: entered, compared, decided line by line, signed, and asked about."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from carehub.access.v1 import access_pb2
from carehub.careplans.v1 import careplans_events_pb2, reconciliation_pb2
from carehub.registry.v1 import encounter_pb2
from google.rpc import error_details_pb2

from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from tests.component.careplans.conftest import AFTER, BEFORE, NORMAL, NOW, SUD, WITHHELD

Rec = reconciliation_pb2.Reconciliation
CONTINUE, CHANGE, STOP, ASK = (
    Rec.DECISION_CONTINUE,
    Rec.DECISION_CHANGE,
    Rec.DECISION_STOP,
    Rec.DECISION_ASK,
)
HOME = """\
Furosemide 20 mg once a day
Metformin 1000 mg twice a day
Lisinopril 10 mg once a day
Metoprolol succinate 50 mg once a day
Atorvastatin 40 mg daily
"""
HOSPITAL = """\
1. Furosemide 40 mg BID
2. Metformin 500 mg twice a day
3. Sacubitril/valsartan 24/26 mg twice a day
4. Metoprolol succinate 50mg daily
5. Atorvastatin 40 mg once daily
"""


async def refused(reason, call):
    with pytest.raises(CallFailed) as caught:
        await call
    assert caught.value.reason == reason
    return caught.value


def metadata(failed):
    info = error_details_pb2.ErrorInfo()
    next(each for each in failed.details.details if each.Unpack(info))
    return info.metadata


def asking(**fields):
    return {"ask_role": "physician", "ask_due_time": to_timestamp(NOW + timedelta(days=6))} | fields


def shown(found):
    return [
        (
            Rec.Difference.Name(line.difference).removeprefix("DIFFERENCE_"),
            line.before.name or line.after.name,
            list(line.differing),
        )
        for line in found.lines
    ]


async def test_differences_come_first_and_say_what_differs(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        assert shown(found) == [
            ("DIFFERENT", "Furosemide", ["dose", "frequency"]),
            ("DIFFERENT", "Metformin", ["dose"]),
            ("ONLY_AFTER", "Sacubitril/valsartan", []),
            ("ONLY_BEFORE", "Lisinopril", []),
            ("SAME", "Metoprolol succinate", []),
            ("SAME", "Atorvastatin", []),
        ]
        assert (found.undecided_count, found.state) == (6, Rec.STATE_OPEN)
        again = await c.call("OpenReconciliation", encounter_id=str(encounter))
        assert again == found


async def test_it_is_signed_only_when_every_line_is_decided_and_questions_may_wait(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        at = {"reconciliation_id": found.id}
        furosemide, metformin, sacubitril, lisinopril, *_ = found.lines
        failed = await refused("LINES_UNDECIDED", c.call("SignReconciliation", **at))
        assert metadata(failed)["count"] == "6"
        kept = await c.call("KeepSame", **at)
        assert [line.decision for line in kept.lines if line.difference == 4] == [CONTINUE] * 2
        await c.decide(found, furosemide, CHANGE)
        await c.decide(found, metformin, ASK, note="Is 500 mg for good?", **asking())
        await c.decide(found, sacubitril, CONTINUE)
        failed = await refused("LINES_UNDECIDED", c.call("SignReconciliation", **at))
        assert metadata(failed)["count"] == "1"
        await c.decide(found, lisinopril, STOP)
        signed = await c.call("SignReconciliation", **at)
        assert (signed.state, signed.signed_by_id) == (Rec.STATE_SIGNED, str(c.pharmacist))
        assert signed.HasField("sign_time")
        assert signed.unanswered_count == 1
        await refused("RECONCILIATION_SIGNED", c.decide(found, furosemide, STOP))
        await refused("RECONCILIATION_SIGNED", c.enter(encounter, HOME, HOSPITAL))
        line = {**at, "line_id": metformin.id}
        answered = await c.call("AnswerLine", **line, decision=CHANGE, answer="Yes, eGFR was 41.")
        (answer,) = [each for each in answered.lines if each.id == metformin.id]
        assert (answer.decision, answer.answer_decision) == (ASK, CHANGE)
        assert answer.HasField("answer_time")
        assert answered.unanswered_count == 0
        await refused(
            "LINE_NOT_ASKED", c.call("AnswerLine", **at, line_id=lisinopril.id, decision=STOP)
        )


async def test_a_question_needs_somebody_and_a_time_ahead(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        line = found.lines[0]
        await refused("ASK_ROLE_MISSING", c.decide(found, line, ASK, **asking(ask_role="")))
        late = asking(ask_due_time=to_timestamp(NOW))
        await refused("ASK_DUE_MISSING", c.decide(found, line, ASK, **late))
        await refused("ASK_DUE_MISSING", c.decide(found, line, ASK, ask_role="physician"))
        asked = await c.decide(found, line, ASK, **asking())
        assert asked.lines[0].ask_role == "physician"
        back = await c.decide(found, line, Rec.DECISION_UNSPECIFIED)
        assert (back.lines[0].decision, back.lines[0].ask_role) == (Rec.DECISION_UNSPECIFIED, "")


async def test_half_done_it_can_be_left_and_a_list_that_changes_keeps_what_was_decided(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        await c.decide(found, found.lines[0], CHANGE)
        await c.decide(found, found.lines[1], STOP)
        corrected = HOSPITAL.replace("Metformin 500 mg", "Metformin 850 mg")
        await c.enter(encounter, HOME, corrected)
        now = await c.call("GetReconciliation", reconciliation_id=found.id)
        decided = {line.before.name: line.decision for line in now.lines if line.decision}
        assert decided == {"Furosemide": CHANGE}, "what was written anew is decided anew"


async def test_nothing_is_compared_with_a_list_that_nobody_entered(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        await refused(
            "MEDICINES_NOT_FOUND", c.call("OpenReconciliation", encounter_id=str(encounter))
        )
        given = {"encounter_id": str(encounter), "side": BEFORE, "text": HOME}
        await c.call("EnterMedicines", **given, source="clinic list")
        failed = await refused(
            "LIST_MISSING", c.call("OpenReconciliation", encounter_id=str(encounter))
        )
        assert metadata(failed)["side"] == "AFTER"
        await c.call("EnterMedicines", encounter_id=str(encounter), side=AFTER)
        found = await c.call("OpenReconciliation", encounter_id=str(encounter))
        assert {line.difference for line in found.lines} == {Rec.DIFFERENCE_ONLY_BEFORE}
        lists = (await c.call("ListMedicineLists", encounter_id=str(encounter))).medicine_lists
        assert [(each.side, len(each.medicines)) for each in lists] == [(BEFORE, 5), (AFTER, 0)]
        assert lists[0].source == "clinic list"


async def test_what_others_hear_names_no_medicine(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        await c.decide(found, found.lines[0], ASK, note="Is furosemide for good?", **asking())
        line = {"reconciliation_id": found.id, "line_id": found.lines[0].id}
        await c.call("AnswerLine", **line, decision=STOP, answer="Furosemide is to stop.")
        told = await c.told(careplans_events_pb2.ReconciliationChanged)
        assert [event.version for event in told] == [1, 2, 3]
        for event in told:
            text = str(event).lower()
            assert not [
                word for word in ("furosemide", "20 mg", "twice", "metformin") if word in text
            ]
        first, only_before = told[2].reconciliation.lines[0], told[2].reconciliation.lines[3]
        assert (first.decision, first.ask_role, first.HasField("answer_time")) == (
            ASK,
            "physician",
            True,
        )
        assert first.HasField("before")
        assert first.HasField("after")
        assert not only_before.HasField("after")


async def test_a_stay_that_nobody_knows_stays_at_its_facility_until_registry_tells_of_it(careplans):
    async with careplans() as c:
        encounter = uuid4()
        lone = {"encounter_id": str(encounter), "side": BEFORE, "text": HOME}
        await refused("STAY_NOT_KNOWN", c.call("EnterMedicines", **lone))
        whose = {"patient_id": str(c.patient), "facility_id": str(c.here)}
        elsewhere = {**whose, "facility_id": str(uuid4())}
        await refused("NOT_YOUR_FACILITY", c.call("EnterMedicines", **lone, **elsewhere))
        await c.enter(encounter, HOME, HOSPITAL, **whose)
        found = await c.call("OpenReconciliation", encounter_id=str(encounter))
        assert list(found.labels) == [WITHHELD]
        await c.visit(encounter, 4, [SUD])
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE labels = '{SUD}'", 1)
        await c.until_rows("SELECT count(*) FROM medicine_lists WHERE labels = '{SUD}'", 2)
        await c.visit(encounter, 3, [NORMAL])
        await c.until_handled("careplans-record", 2)
        late = await c.call("GetReconciliation", reconciliation_id=found.id)
        assert list(late.labels) == [SUD], "what is older says nothing"


async def test_the_labels_of_a_loop_count_until_registry_tells_of_the_stay(careplans):
    async with careplans() as c:
        loop, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        assert list(found.labels) == [NORMAL]
        sensitive = c.loop(2, id=loop, encounter=encounter)
        sensitive.loop.labels[:] = [SUD]
        await c.tell(sensitive)
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE labels = '{SUD}'", 1)
        await c.visit(encounter, 1, [NORMAL])
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE labels = '{NORMAL}'", 1)
        await c.tell(c.loop(3, id=loop, encounter=encounter, labels=[SUD]))
        await c.until_rows("SELECT count(*) FROM care_plans WHERE labels = '{SUD}'", 1)
        after = await c.call("GetReconciliation", reconciliation_id=found.id)
        assert list(after.labels) == [NORMAL]


async def test_a_stay_elsewhere_that_was_entered_here_by_mistake_is_seen_by_nobody_else(careplans):
    async with careplans() as c:
        encounter = uuid4()
        whose = {"patient_id": str(c.patient), "facility_id": str(c.here)}
        await c.enter(encounter, HOME, HOSPITAL, **whose)
        await c.visit(encounter, 1, [NORMAL], facility=uuid4())
        await c.until_rows("SELECT count(*) FROM medicine_lists WHERE encounter_version = 1", 2)
        assert {r["labels"][0] for r in await c.rows("SELECT labels FROM medicine_lists")} == {
            "WITHHELD"
        }


async def test_telling_of_a_stay_once_more_takes_nothing_from_under_the_hand(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        for version in (1, 2, 3):
            await c.visit(encounter, version)
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE encounter_version = 3", 1)
        decided = await c.decide(found, found.lines[0], STOP, etag=found.etag)
        assert decided.etag == '"2"'
        await refused("STALE_ETAG", c.decide(found, found.lines[0], STOP, etag=found.etag))


async def test_a_stay_that_is_taken_back_takes_its_reconciliation_with_it_unless_it_was_signed(
    careplans,
):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        await c.visit(encounter, 1, state=encounter_pb2.Encounter.STATE_CANCELLED)
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE state = 'CANCELLED'", 1)
        await refused("RECONCILIATION_CANCELLED", c.decide(found, found.lines[0], STOP))
        await c.visit(encounter, 2)
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE state = 'OPEN'", 1)
        for line in found.lines:
            await c.decide(found, line, STOP)
        await c.call("SignReconciliation", reconciliation_id=found.id)
        await c.visit(encounter, 3, state=encounter_pb2.Encounter.STATE_CANCELLED)
        await c.until_rows("SELECT count(*) FROM reconciliations WHERE encounter_version = 3", 1)
        after = await c.call("GetReconciliation", reconciliation_id=found.id)
        assert after.state == Rec.STATE_SIGNED


async def test_nobody_of_elsewhere_sees_or_changes_medicines(careplans):
    async with careplans() as c:
        _, encounter = await c.discharged()
        found = await c.reconcile(encounter, HOME, HOSPITAL)
        stranger = c.token(uuid4(), uuid4())
        at = {"reconciliation_id": found.id}
        await refused("RECONCILIATION_NOT_FOUND", c.call("GetReconciliation", stranger, **at))
        await refused("RECONCILIATION_NOT_FOUND", c.call("SignReconciliation", stranger, **at))
        lists = await c.call("ListMedicineLists", stranger, encounter_id=str(encounter))
        assert list(lists.medicine_lists) == []
        theirs = await c.call("ListReconciliations", stranger, patient_id=str(c.patient))
        assert list(theirs.reconciliations) == []
        ours = await c.call("ListReconciliations", patient_id=str(c.patient))
        assert [each.id for each in ours.reconciliations] == [found.id]


async def test_somebody_of_elsewhere_who_says_that_the_stay_is_theirs_meets_nobody(careplans):
    """Neither an error nor a row of theirs tells that the stay has a list here."""
    async with careplans() as c:
        _, encounter = await c.discharged()
        await c.reconcile(encounter, HOME, HOSPITAL)
        place = uuid4()
        stranger = c.token(uuid4(), place)
        whose = {"patient_id": str(c.patient), "facility_id": str(place)}
        await c.enter(encounter, HOME, HOSPITAL, stranger, **whose)
        found = await c.call("OpenReconciliation", stranger, encounter_id=str(encounter))
        assert (found.facility_id, list(found.labels)) == (str(place), [WITHHELD])
        assert len(await c.rows("SELECT 1 FROM reconciliations")) == 2


@pytest.mark.parametrize("is_last_first", [False, True])
async def test_a_merge_moves_everything_in_whatever_order_merges_come(careplans, is_last_first):
    async with careplans() as c:
        retired, between, survivor = c.patient, uuid4(), uuid4()
        loop, encounter = await c.discharged()
        await c.reconcile(encounter, HOME, HOSPITAL)
        preferences = {"patient_id": str(retired), "facility_id": str(c.here), "language": "es"}
        await _prefer(c, **preferences)
        merges = [(between, retired), (survivor, between)]
        for number, merge in enumerate(reversed(merges) if is_last_first else merges, 1):
            await c.merge(*merge)
            await c.until_handled("careplans-record", number)
        tables = ("care_plans", "reconciliations", "medicine_lists", "preferences", "loops")
        for table in tables:
            count = 2 if table == "medicine_lists" else 1
            await c.until_rows(
                f"SELECT count(*) FROM {table} WHERE patient_id = $1", count, survivor
            )
        (told, *_) = reversed(await c.told(careplans_events_pb2.CarePlanChanged))
        assert told.care_plan.patient_id == str(survivor)
        assert [p.loop_id for p in await c.plans(patient=retired)] == [str(loop)]
        await c.tell(c.loop(2, id=loop, encounter=encounter, patient_id=str(retired)))
        await c.until_handled("careplans-work", 2)
        (row,) = await c.rows("SELECT patient_id FROM care_plans")
        assert UUID(str(row["patient_id"])) == survivor


async def _prefer(c, token=None, **fields):
    told = careplans_events_pb2.PreferencesChanged().preferences
    for name, value in fields.items():
        setattr(told, name, value)
    return await c.call("UpdatePreferences", token, preferences=told)


# Preferences.


async def test_preferences_are_written_down_bit_by_bit(careplans):
    async with careplans() as c:
        whose = {"patient_id": str(c.patient), "facility_id": str(c.here)}
        missing = c.call("GetPreferences", patient_id=str(c.patient))
        await refused("PREFERENCES_NOT_FOUND", missing)
        await _prefer(c, **whose, language="es", needs_interpreter=True, telephone=2)
        found = await _prefer(
            c, **whose, works_nights=True, sleeps_from="08:00", sleeps_until="16:00"
        )
        assert (found.language, found.needs_interpreter, found.telephone) == ("es", True, 2)
        assert (found.works_nights, found.sleeps_until) == (True, "16:00")
        assert list(found.labels) == [access_pb2.LABEL_NORMAL]
        assert await c.call("GetPreferences", patient_id=str(c.patient)) == found
        assert (await _prefer(c, **whose, works_nights=True)).etag == found.etag
        told = await c.told(careplans_events_pb2.PreferencesChanged)
        assert [event.version for event in told] == [1, 2]
        await refused("STALE_ETAG", _prefer(c, **whose, etag='"1"', food="no pork"))
        await refused("TIME_OF_DAY_INVALID", _prefer(c, **whose, best_from="9", best_until="10:00"))
        await refused("TIME_SPAN_HALF", _prefer(c, **whose, best_from="09:00"))
        await refused("LANGUAGE_INVALID", _prefer(c, **whose, language="Spanish please"))


async def test_what_begins_with_the_words_of_a_program_is_as_sensitive_as_they_are(careplans):
    async with careplans() as c:
        there, third, part2 = uuid4(), uuid4(), [access_pb2.LABEL_PART2]
        await c.program_feed(c.here)
        ours, theirs, program = (
            {"patient_id": str(c.patient), "facility_id": str(place)}
            for place in (there, third, c.here)
        )
        await _prefer(c, **program, food="no alcohol")
        own = await _prefer(c, c.token(None, there), **ours, works_nights=True)
        assert (own.food, list(own.labels)) == ("", [NORMAL]), "they do not see the program's"
        c.hub.clock.move(timedelta(hours=1))
        await _prefer(c, **program, food="no wine")
        begun = await _prefer(c, c.token(None, c.here, there), **ours, reading=1)
        assert (begun.food, list(begun.labels)) == ("no wine", part2)
        c.hub.clock.move(timedelta(hours=1))
        newest = await _prefer(c, c.token(None, third), **theirs, language="en")
        assert list(newest.labels) == [NORMAL]
        again = await _prefer(c, c.token(None, there, third), **ours, faith="none")
        assert (again.language, list(again.labels)) == ("en", part2), "and stays so"


async def test_of_two_records_that_become_one_the_newer_preferences_stay(careplans):
    async with careplans() as c:
        survivor = uuid4()
        here = str(c.here)
        await _prefer(c, patient_id=str(survivor), facility_id=here, language="en")
        c.hub.clock.move(timedelta(hours=1))
        await _prefer(c, patient_id=str(c.patient), facility_id=here, language="es")
        await c.merge(survivor, c.patient)
        await c.until_handled("careplans-record", 1)
        for patient in (survivor, c.patient):
            found = await c.call("GetPreferences", patient_id=str(patient))
            assert (found.language, found.patient_id) == ("es", str(survivor))
        assert len(await c.rows("SELECT 1 FROM preferences")) == 1
