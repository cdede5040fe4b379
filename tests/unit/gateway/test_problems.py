"""The one table of HTTP codes."""

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc import code_pb2, error_details_pb2, status_pb2

from gateway.api.problems import STATUS_OF, TITLES, camel, from_call, internal
from libs.chassis.errors import InvalidArgument, Unavailable
from libs.chassis.wire import CallFailed, to_status
from tests.unit.gateway.doubles import failed


def test_every_canonical_code_has_a_status_and_a_title():
    assert STATUS_OF.keys() == set(code_pb2.Code.keys()) - {"OK"}
    assert set(STATUS_OF.values()) <= TITLES.keys()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("INVALID_ARGUMENT", 400),
        ("FAILED_PRECONDITION", 400),
        ("UNAUTHENTICATED", 401),
        ("PERMISSION_DENIED", 403),
        ("NOT_FOUND", 404),
        ("ABORTED", 409),
        ("RESOURCE_EXHAUSTED", 429),
        ("UNAVAILABLE", 503),
        ("DEADLINE_EXCEEDED", 504),
    ],
)
def test_an_error_of_ours_keeps_its_reason_and_words(code, status):
    problem = from_call(failed(code, "WHY_NOT", "In words."))
    assert (problem.status, problem.reason, problem.detail) == (status, "WHY_NOT", "In words.")
    assert ("Retry-After" in problem.headers) == (status in {429, 503})
    assert ("WWW-Authenticate" in problem.headers) == (status == 401)


@pytest.mark.parametrize("code", ["INTERNAL", "UNKNOWN", "DATA_LOSS"])
def test_a_bug_has_no_reason_and_no_words(code):
    problem = from_call(failed(code, "WHY_NOT", "patient Ana Ejemplo", patient_id="7"))
    assert problem.status == 500
    assert problem.reason == code
    assert problem.detail == internal().detail
    assert problem.metadata == {}


@pytest.mark.parametrize("code", STATUS_OF)
def test_words_that_are_not_ours_are_not_passed_on(code):
    status = status_pb2.Status(code=code_pb2.Code.Value(code), message="ipv4:10.0.0.3 refused")
    problem = from_call(CallFailed(status))
    assert "10.0.0.3" not in str(problem.document("r"))
    foreign = AnyMessage()
    foreign.Pack(error_details_pb2.ErrorInfo(reason="SECRET", domain="elsewhere"))
    status.details.append(foreign)
    assert "SECRET" not in str(from_call(CallFailed(status)).document("r"))


def test_fields_are_named_as_the_client_knows_them():
    error = InvalidArgument(
        "NAME_MISSING", "A patient has a name.", field="patient.birth_date.year"
    )
    problem = from_call(CallFailed(to_status(error, "r1")))
    assert problem.document("r1")["fieldViolations"] == [
        {"field": "patient.birthDate.year", "description": "A patient has a name."}
    ]
    assert problem.metadata == {}


def test_a_service_may_say_when_to_come_back():
    status = to_status(Unavailable("BUSY", "Too much at once."), "r1")
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(2500)
    status.details.add().Pack(retry)
    assert from_call(CallFailed(status)).headers["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("reason", "if_match", "status"),
    [
        ("STALE_ETAG", True, 412),
        ("STALE_TASK", True, 412),
        ("STALE_ETAG", False, 409),
        ("REQUEST_IN_PROGRESS", True, 409),
    ],
)
def test_a_lost_race_is_412_for_who_named_a_version(reason, if_match, status):
    problem = from_call(failed("ABORTED", reason, "Somebody else."), was_conditional=if_match)
    assert problem.status == status


def test_camel():
    assert camel("birth_date.year") == "birthDate.year"
    assert camel("id") == "id"
