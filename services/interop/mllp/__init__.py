"""HL7 v2 over MLLP: a listener whose AA always means that the message is safe."""
