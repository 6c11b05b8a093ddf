"""Coinbase Prime: HMAC-SHA256 over the time in seconds, method, path without query and body, in base64; the passphrase beside it.

Source: docs.cdp.coinbase.com/prime/rest-api/authentication, in excerpts and samples, 2026-11-28.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned


def sign(unsigned: Unsigned, keys: Keys) -> Mapping[str, str]:
    """The four headers of a signed request."""
    at = str(unsigned.at // 1000)
    message = at + unsigned.method + unsigned.path + unsigned.body
    digest = hmac.new(keys.secret.encode(), message.encode(), hashlib.sha256).digest()
    return {
        "X-CB-ACCESS-KEY": keys.key,
        "X-CB-ACCESS-PASSPHRASE": keys.passphrase,
        "X-CB-ACCESS-SIGNATURE": base64.b64encode(digest).decode(),
        "X-CB-ACCESS-TIMESTAMP": at,
    }
