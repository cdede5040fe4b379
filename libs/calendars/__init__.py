"""Days as places count them: their clocks, their holidays as dated data, and counts of business days in words.

It knows no service: whoever counts days for a facility takes the facility's clock and calendar from its own projection.
"""
