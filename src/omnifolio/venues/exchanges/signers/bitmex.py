"""BitMEX: HMAC-SHA256 over verb, path with query, expiry in seconds and body.

Source: www.bitmex.com/app/apiKeysUsage, seen 2026-11-27.
"""

from collections.abc import Mapping

from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned, hmac_sha256

VALID_S = 60


def sign(unsigned: Unsigned, keys: Keys) -> Mapping[str, str]:
    """The three headers of a signed request, good for a minute."""
    expires = str(unsigned.at // 1000 + VALID_S)
    signature = hmac_sha256(keys.secret, unsigned.method + unsigned.target + expires + unsigned.body)
    return {"api-expires": expires, "api-key": keys.key, "api-signature": signature}
