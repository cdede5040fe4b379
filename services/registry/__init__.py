"""Registry owns who the patients are, across facilities, and which visits they have had.

It hears what facilities report (through interop), keeps one record per person and one encounter per visit, tells the
others what changed, and answers for every report with exactly one outcome.
"""
