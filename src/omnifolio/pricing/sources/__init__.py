"""The price and rate sources, one file each."""
