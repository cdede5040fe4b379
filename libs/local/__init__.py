"""CareHub on one machine: the engines, the sign-in and the mail that production gets elsewhere.

The production image has neither the engines nor the mail, and no pod starts any of it; some commands that operate a hub are here.
"""
