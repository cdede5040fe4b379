"""CareHub on one machine: the engines, the sign-in and the mail that production gets elsewhere.

Nothing here is in the production image.
"""
