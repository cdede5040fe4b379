"""One story through every service: played on a running demo as its people would, and believed only where the hub shows it."""
