"""Over the whole run: no health data where it does not belong, and an audit row for each answer that has patient data."""
