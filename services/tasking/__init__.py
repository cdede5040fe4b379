"""Loops and their tasks: who has to do what for whom, by when, what happens if nobody does, and what shows that it was done."""
