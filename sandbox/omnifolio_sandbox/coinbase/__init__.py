"""Coinbase's REST protocols (app v2 and Advanced Trade v3) over the simulated world."""
