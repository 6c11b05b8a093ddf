"""Brings accounts and quotes up to date."""
