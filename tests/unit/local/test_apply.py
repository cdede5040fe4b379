"""What a network's file asks for."""

from libs.local.apply import wanted


def test_a_feed_says_what_is_known_of_it():
    feed = {"key": "clinic", "facility": "clinic", "name": "Clinic", "sending_facility": "CLINIC"}
    program = feed | {"key": "program", "provenance": {"is_part2_program": True}}
    bodies = {w.key: w.body for w in wanted({"network": "demo", "feeds": [feed, program]})}
    assert bodies["clinic"]["provenance"] == {}
    assert bodies["program"]["provenance"] == {"isPart2Program": True}
