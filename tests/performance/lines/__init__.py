"""The lines of the table, by what they measure."""
