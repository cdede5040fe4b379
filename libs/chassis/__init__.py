"""What a request goes through in every service: caller, guard, database, answer. It knows no domain word."""
