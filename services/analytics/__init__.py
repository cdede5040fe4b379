"""Analytics: what the events of all services say together. Scores of stays with their terms, measures, and who is behind them."""
