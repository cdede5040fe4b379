"""What a loop, a task and a protocol are, and how they may change. Plain Python: no I/O, no framework."""
