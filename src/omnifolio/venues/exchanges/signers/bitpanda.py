"""Bitpanda: the key alone, in a header; nothing is signed.

Source: developers.bitpanda.com, seen 2026-11-27.
"""

from collections.abc import Mapping

from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned


def sign(unsigned: Unsigned, keys: Keys) -> Mapping[str, str]:
    """The header of an authorised request."""
    return {"X-Api-Key": keys.key}
