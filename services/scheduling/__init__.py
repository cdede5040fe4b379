"""Scheduling owns when somebody can be visited, who comes when, and whether they came."""
