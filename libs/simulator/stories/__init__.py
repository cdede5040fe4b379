"""Other stories around the one that is watched: what becomes of many discharges, played by simulated patients and staff."""
