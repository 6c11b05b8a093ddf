"""Exchanges: one reader for all of them, driven by their rows, with a small module for what rows cannot say."""
