"""When an appointment counts as missed, and when a cancellation as late: policy, dated, with its source."""

from datetime import date, timedelta

# Whoever changes what follows changes this day too, and says why in the changelog.
DECIDED_ON = date(2026, 11, 28)
# protocols.md 14: "T0 = slot start + 15 min without check-in -> no_show".
NO_SHOW_AFTER = timedelta(minutes=15)
# protocols.md 14: "cancel < 24 h = late cancel, separate code".
LATE_CANCEL_WITHIN = timedelta(hours=24)
# HL7 table 0112 as protocols.md 3 reads it: expired; at home, in a facility, at a place unknown.
DIED = frozenset({"20", "40", "41", "42"})
