"""Who may see what of one patient: facts in, grants and denials out. Read terms, facts, decide, boxes, in this order.

Pure: no clock, no database. The rules in tables, for whoever wants to check them, are in the README of identity.
"""
