"""Credentials behind three doors: `seal` (public key only), `open` (workers), `admin` (rotate, shred, status)."""
