"""Centralised exchanges: one reader over ccxt's signing and endpoints, one data row per exchange."""
