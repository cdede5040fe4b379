"""A network's file with sections from spreadsheets is the same as one that has all of it written out."""

import pytest

from libs.local.apply import read_network, wanted
from libs.local.spreadsheet import SpreadsheetFailed

YAML = """
network: north
organizations: [{ key: north, name: North Clinics, kind: PROVIDER }]
facilities: [{ key: lake, organization: north, name: Lake Clinic, time_zone: America/Chicago, duty_team: lake-duty }]
staff: [
  { account: ana, name: Ana Ruiz, email: ana@north.example, roles: [{ role: nurse, at: lake }, { role: analyst }] },
  { account: bo, name: Bo Lind, roles: [{ role: coordinator, at: lake }] },
]
teams: [{ key: lake-duty, facility: lake, name: Lake duty, lead: bo, members: [bo, ana] }]
feeds: [{ key: lake-adt, facility: lake, name: Lake ADT, sending_facility: LAKE, default_assigner: LAKE }]
"""
SHEETS = {
    "organizations.csv": "key,name,kind\nnorth,North Clinics,PROVIDER\n",
    "facilities.csv": "key,organization,name,time_zone,duty_team\nlake,north,Lake Clinic,America/Chicago,lake-duty\n",
    "staff.csv": (
        "\ufeffaccount,name,email,role,at\r\nana,Ana Ruiz,ana@north.example,nurse,lake\r\n"
        "bo,Bo Lind,,coordinator,lake\r\n,,,,\r\nana,Ana Ruiz,ana@north.example,analyst,\r\n"
    ),
    "teams.csv": "key,facility,name,lead,members\nlake-duty,lake,Lake duty,bo,bo; ana\n",
    "feeds.csv": "key,facility,name,sending_facility,default_assigner\nlake-adt,lake,Lake ADT,LAKE,LAKE\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in SHEETS.items():
        (tmp_path / name).write_text(text, newline="")
    sections = "\n".join(f"{name.removesuffix('.csv')}: {name}" for name in SHEETS)
    (tmp_path / "network.yaml").write_text(f"network: north\n{sections}\n")
    return tmp_path


def test_it_is_the_same_as_written_out(folder):
    (folder / "whole.yaml").write_text(YAML)
    whole, sheets = (list(wanted(read_network(folder / f"{n}.yaml"))) for n in ("whole", "network"))
    assert sheets == whole
    assert len(sheets) == 6


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("account,name\nana,Ana\n", "the headings must be account, name, email\\?, role, at\\?"),
        ("account,name,role,mobile\nana,Ana,nurse,1\n", "the headings must be"),
        ("account,name,role\nana,,nurse\n", "row 2: name is missing"),
        ('account,name,role\n"ana,Ana,nurse\n', "cannot be read as CSV"),
        ("", "the headings must be"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(folder, text, word):
    (folder / "staff.csv").write_text(text)
    with pytest.raises(SpreadsheetFailed, match=word):
        read_network(folder / "network.yaml")


def test_a_file_that_is_not_there_and_a_section_that_has_none(folder):
    (folder / "teams.csv").unlink()
    with pytest.raises(SpreadsheetFailed, match=r"teams\.csv cannot be read"):
        read_network(folder / "network.yaml")
    (folder / "network.yaml").write_text("network: north\nschedules: s.csv\n")
    with pytest.raises(SpreadsheetFailed, match="schedules cannot come from a spreadsheet"):
        read_network(folder / "network.yaml")
