"""Plain rules of schedules and appointments; they know no database and no wire."""
