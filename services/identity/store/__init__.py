"""Identity in PostgreSQL: the only SQL of the service, one file per aggregate."""
