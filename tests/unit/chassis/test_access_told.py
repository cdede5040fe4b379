"""What a holder makes of access that a later version of identity tells: it never shows more by what it does not know."""

from uuid import uuid4

from carehub.access.v1 import access_pb2

from libs.chassis.access import to_access

LATER = 99
SAID = {
    "purposes": [access_pb2.PURPOSE_TREATMENT, LATER],
    "data_classes": [LATER],
    "labels": [access_pb2.LABEL_HIV, LATER],
}


def test_words_that_it_does_not_know_narrow_a_grant_and_widen_a_denial():
    message = access_pb2.PatientAccess(
        patient_id=str(uuid4()),
        version=1,
        grants=[access_pb2.Grant(grantee_id=str(uuid4()), **SAID)],
        denials=[access_pb2.Denial(**SAID), access_pb2.Denial(labels=[access_pb2.LABEL_HIV])],
    )
    access = to_access(message)
    (grant,), (denial, plain) = access.grants, access.denials
    assert (grant.purposes, grant.classes, grant.labels) == (("TREATMENT",), (), ("HIV",))
    every = [
        words.keys()[1:] for words in (access_pb2.Purpose, access_pb2.DataClass, access_pb2.Label)
    ]
    assert [len(denial.purposes), len(denial.classes), len(denial.labels)] == list(map(len, every))
    assert {"HIV", "NORMAL", "WITHHELD"} <= set(denial.labels)
    assert (plain.purposes, plain.labels) == ((), ("HIV",))
