"""What interop knows without asking anyone: HL7 v2, feeds, messages and what they report."""
