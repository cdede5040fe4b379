"""`carehub backup` and `carehub restore`: all databases in one folder, and back."""
