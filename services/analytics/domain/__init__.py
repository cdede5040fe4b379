"""What is computed, and how: plain functions of what was told. No I/O but for the instruments that ship with it."""
