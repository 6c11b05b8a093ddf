"""Seed phrases, in the place of addresses: refused wherever an address is taken."""

WORDS_MIN = 12
"""No phrase has fewer words, and no address has any space."""


def is_phrase(text: str) -> bool:
    """Whether this may be the words of a seed phrase."""
    return len(text.split()) >= WORDS_MIN
