"""Analytics' domain and its contract, and what neighbors tell."""
