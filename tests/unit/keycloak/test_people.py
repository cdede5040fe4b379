"""The list of people, from a file: what it takes, and what it says of what it does not take."""

from uuid import UUID

import pytest

from libs.keycloak.people import PeopleUnreadable, from_csv

ANN, BEN = UUID(int=1), UUID(int=2)
HEAD = "id,account,display_name,email,roles,state\n"


@pytest.fixture
def read(tmp_path):
    def written(text: str):
        path = tmp_path / "staff.csv"
        path.write_bytes(text.encode())
        return from_csv(path)

    return written


def test_people_are_read_with_their_roles_and_state(read):
    ann, ben = read(
        f"\ufeff{HEAD}{ANN},ann,Ann Ruiz,ann@example.org,nurse coordinator@{ANN},\r\n"
        f"{BEN},ben,Ben,,,Deactivated\n"
    )
    assert (ann.id, ann.account, ann.name, ann.email) == (ANN, "ann", "Ann Ruiz", "ann@example.org")
    assert ann.roles == {"nurse", "coordinator"}
    assert ann.is_active
    assert not ben.is_active


def test_only_three_columns_are_needed(read):
    (ann,) = read(f"account,id,display_name\nann,{ANN},Ann\n")
    assert (ann.email, ann.roles, ann.is_active) == ("", frozenset(), True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("account,display_name\nann,Ann\n", "no column id"),
        (f"{HEAD}ann,ann,Ann,,,\n", "staff.csv:2: the id is not a UUID"),
        (f"{HEAD}{ANN},ann,Ann,,,retired\n", "the state is active or deactivated"),
        (f"{HEAD}{ANN},,Ann,,,\n", "has no account"),
        (f"{HEAD}{ANN},ann,Ann,,,\n{ANN},ben,Ben,,,\n", "is given twice"),
        (f"{HEAD}{ANN},ann,Ann,,,\n{BEN},ANN,Ben,,,\n", "the account ann is given twice"),
        ("", "no column"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(read, text, said):
    with pytest.raises(PeopleUnreadable, match=said):
        read(text)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(PeopleUnreadable, match="cannot be read"):
        from_csv(tmp_path / "nobody.csv")
