"""BitMart: HMAC-SHA256 over time, memo and what is sent, be it query or body, with `#` between them.

Source: developer-pro.bitmart.com/en/part2/auth.html, seen 2026-11-27.
"""

from collections.abc import Mapping

from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned, hmac_sha256


def sign(unsigned: Unsigned, keys: Keys) -> Mapping[str, str]:
    """The three headers of a signed request."""
    at = str(unsigned.at)
    signature = hmac_sha256(keys.secret, f"{at}#{keys.memo}#{unsigned.body or unsigned.query}")
    return {"X-BM-KEY": keys.key, "X-BM-SIGN": signature, "X-BM-TIMESTAMP": at}
