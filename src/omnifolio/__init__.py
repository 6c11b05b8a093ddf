"""Omnifolio: a self-hostable, read-only crypto balance API."""

__version__ = "0.1.0"
