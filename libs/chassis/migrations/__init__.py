"""The tables that every service database has."""
