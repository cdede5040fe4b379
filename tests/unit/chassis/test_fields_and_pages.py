"""Ids, etags, masks and cursors of requests."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from carehub.identity.v1 import facility_pb2, identity_service_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from libs.chassis.errors import Aborted, InvalidArgument
from libs.chassis.fields import apply_mask, check_etag, etag, to_uuid
from libs.chassis.pages import (
    decode_cursor,
    encode_cursor,
    id_in_token,
    page_size,
    page_start,
    token_after,
)

ROW = UUID("5c1a0f6e-3f5b-4b6e-9a55-1f0d5f0b7a10")
FIRST = datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1)
TEAMS = identity_service_pb2.ListTeamsRequest()


def test_an_id_that_is_none_names_its_field():
    with pytest.raises(InvalidArgument) as caught:
        to_uuid("task_id", "seven")
    assert caught.value.violations[0][0] == "task_id"


def test_a_stale_etag_aborts_and_an_empty_one_passes():
    check_etag("", 3)
    check_etag(etag(3), 3)
    with pytest.raises(Aborted):
        check_etag(etag(2), 3)


def test_without_a_mask_the_populated_fields_are_copied_and_the_server_s_own_are_not():
    target = facility_pb2.Facility(id="1", name="Old", phone="1", etag='"1"')
    apply_mask(target, facility_pb2.Facility(id="2", name="New", etag='"9"'), FieldMask())
    assert (target.id, target.name, target.phone, target.etag) == ("1", "New", "1", '"1"')


def test_a_mask_can_clear_a_field():
    target = facility_pb2.Facility(name="Old", phone="1")
    apply_mask(target, facility_pb2.Facility(name="New"), FieldMask(paths=["phone"]))
    assert (target.name, target.phone) == ("Old", "")


def test_an_unknown_path_is_refused():
    with pytest.raises(InvalidArgument):
        apply_mask(facility_pb2.Facility(), facility_pb2.Facility(), FieldMask(paths=["nmae"]))


@pytest.mark.parametrize(("asked", "given"), [(0, 50), (7, 7), (9_999, 500)])
def test_page_sizes_are_defaulted_and_clamped(asked, given):
    assert page_size(asked) == given


def test_a_negative_page_size_is_refused():
    with pytest.raises(InvalidArgument):
        page_size(-1)


def test_a_cursor_comes_back_whatever_the_page_size():
    first = identity_service_pb2.ListTeamsRequest(page_size=2, facility_id="a")
    second = identity_service_pb2.ListTeamsRequest(page_size=9, facility_id="a", page_token="x")
    assert decode_cursor(encode_cursor(["Zoë", 4], first), second) == ["Zoë", 4]
    assert decode_cursor("", first) is None


@pytest.mark.parametrize("token", ["nonsense", "eyJhIjoxfQ", "e30", "bnVsbA"])
def test_a_token_that_is_not_ours_is_refused(token):
    with pytest.raises(InvalidArgument):
        decode_cursor(token, identity_service_pb2.ListTeamsRequest())


def test_a_token_of_other_filters_is_refused():
    one = identity_service_pb2.ListTeamsRequest(facility_id="a")
    other = identity_service_pb2.ListTeamsRequest(facility_id="b")
    with pytest.raises(InvalidArgument):
        decode_cursor(encode_cursor([1], one), other)


@pytest.mark.parametrize("value", ["a\x00b", "x" * 2000, 2**63, -(2**63), None, [1], 1.5])
def test_a_token_of_what_no_database_can_be_asked_for_is_refused(value):
    request = identity_service_pb2.ListTeamsRequest()
    with pytest.raises(InvalidArgument):
        decode_cursor(encode_cursor([value], request), request)


def test_a_page_begins_after_the_row_that_its_token_is_of_and_the_first_where_it_is_told():
    at = datetime(2026, 7, 1, 12, 30, 0, 7, tzinfo=timezone(timedelta(hours=-7)))
    assert page_start(token_after(at, ROW, TEAMS), TEAMS, FIRST) == (at, ROW)
    assert page_start("", TEAMS, FIRST) == FIRST


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(["Tuesday", str(ROW)], id="no instant"),
        pytest.param(["2026-07-01T12:00:00+00:00", "seven"], id="no id"),
        pytest.param([7, str(ROW)], id="a number"),
        pytest.param([], id="nothing"),
        pytest.param(["2026-07-01T12:00:00+00:00"], id="an instant only"),
        pytest.param(["2026-07-01T12:00:00+00:00", str(ROW), "more"], id="too much"),
        pytest.param(["2026-07-01T12:00:00", str(ROW)], id="no zone"),
        pytest.param(["0001-01-01T00:00:00+14:00", str(ROW)], id="before all time"),
    ],
)
def test_a_page_begins_nowhere_that_somebody_made_up(values):
    with pytest.raises(InvalidArgument, check=lambda e: e.reason == "PAGE_TOKEN_INVALID"):
        page_start(encode_cursor(values, TEAMS), TEAMS, FIRST)


@pytest.mark.parametrize("made_up", ["seven", "", 7, str(ROW)[:-1]])
def test_an_id_that_somebody_made_up_is_refused_as_the_token_that_it_stands_in(made_up):
    with pytest.raises(InvalidArgument, check=lambda e: e.reason == "PAGE_TOKEN_INVALID"):
        id_in_token(made_up)
    assert id_in_token(str(ROW)) == ROW


def test_a_page_begins_with_no_token_that_was_cut_short_or_is_of_another_request():
    at = datetime(2026, 7, 1, tzinfo=UTC)
    cut = token_after(at, ROW, TEAMS)[:-9]
    other = token_after(at, ROW, identity_service_pb2.ListTeamsRequest(facility_id="a"))
    for token in (cut, other):
        with pytest.raises(InvalidArgument, check=lambda e: e.reason == "PAGE_TOKEN_INVALID"):
            page_start(token, TEAMS, FIRST)
