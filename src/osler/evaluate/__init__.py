"""The backtest that Osler's own models have to win."""
