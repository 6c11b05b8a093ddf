"""CoinEx (API v2): HMAC-SHA256 over method, path with query, body and the time in milliseconds.

Source: docs.coinex.com/api/v2/authorization, seen 2026-11-27.
"""

from collections.abc import Mapping

from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned, hmac_sha256


def sign(unsigned: Unsigned, keys: Keys) -> Mapping[str, str]:
    """The three headers of a signed request."""
    at = str(unsigned.at)
    signature = hmac_sha256(keys.secret, unsigned.method + unsigned.target + unsigned.body + at)
    return {"X-COINEX-KEY": keys.key, "X-COINEX-SIGN": signature, "X-COINEX-TIMESTAMP": at}
