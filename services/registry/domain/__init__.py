"""What a person and a visit are, and how reports make them. No I/O, no framework.

Read `report` (what facilities say), `visit` (the fold), `demographics` (what is known of a person), `identity` (who is
meant), `matching`, then `record`, where a report meets what is known; `search` is about finding people again.
"""
