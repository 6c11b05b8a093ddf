"""Simulated venues that speak the real venues' protocols, with a truth to compare everything with."""
