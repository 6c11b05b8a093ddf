"""ICONOMI: HMAC-SHA512 over the time in milliseconds, method, path without query and body, in base64.

Source: github.com/iconomi-ag/iconomi-java (the operator's client; it takes the secret's text as the key), seen 2026-11-27.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned


def sign(unsigned: Unsigned, keys: Keys) -> Mapping[str, str]:
    """The three headers of a signed request."""
    at = str(unsigned.at)
    message = at + unsigned.method + unsigned.path + unsigned.body
    digest = hmac.new(keys.secret.encode(), message.encode(), hashlib.sha512).digest()
    return {"ICN-API-KEY": keys.key, "ICN-SIGN": base64.b64encode(digest).decode(), "ICN-TIMESTAMP": at}
