"""What comes in from other systems: stored as it came, acknowledged once it is safe, translated, accounted for.

interop owns the feeds, every raw message and what became of it. It knows HL7 v2 so that nobody else has to.
"""
