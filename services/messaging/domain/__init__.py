"""The rules of messages and threads, in plain Python."""
