"""The domain of careplans and its contract, and what its neighbors tell."""
