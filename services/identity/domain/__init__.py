"""What identity knows and decides, in plain Python: one file per aggregate."""
