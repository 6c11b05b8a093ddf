"""Outside into quotes: price and exchange-rate sources."""
