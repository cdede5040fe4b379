"""Feeds, messages, refusals and accounts in PostgreSQL: the only SQL of interop."""
