"""A simulated region: facilities, people and their visits as HL7 feeds, with the truth kept beside.

Everything is invented, and drawn from one seed: the same seed gives the same region, the same visits and the same
bytes. It fills the demo, drives the load test and makes test data; no pod of a production hub runs it.
"""
