"""The services of CareHub, one folder each, and the one entry point."""
