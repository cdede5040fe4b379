"""What a hub tells of itself: logs, metrics, traces. None of them ever carries health data: ids, reasons and method names only."""
