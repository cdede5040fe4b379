"""What travels beside an event: ids and versions, never health data. The names are data: two releases understand each other."""

MESSAGE_ID = "Nats-Msg-Id"
KEY = "Carehub-Key"
VERSION = "Carehub-Version"
FACILITY = "Carehub-Facility"
EPOCH = "Carehub-Epoch"
