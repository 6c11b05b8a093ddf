"""Credentials behind three doors: seal, open, admin."""
