"""Rows to bytes: what tax and accounting programs read, one file per target."""
