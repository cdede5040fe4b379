"""What every service stands on. It knows no domain word."""
