"""Fixtures that several test folders need: real servers, running services, callers, a clock."""
