"""Kraken's spot REST protocol over the simulated world."""
