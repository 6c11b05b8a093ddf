"""Binance's spot and wallet REST protocol over the simulated world."""
