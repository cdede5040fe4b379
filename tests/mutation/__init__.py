"""Breaks the access decider on purpose, one line at a time, and asks whether the matrix notices."""
