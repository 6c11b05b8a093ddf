"""Bit2Me: HMAC-SHA512 over the SHA-256 of nonce, path with query and body, in base64; the nonce is the time in milliseconds.

Source: github.com/bit2me-devs/trading-spot-samples (the operator's), seen 2026-11-27.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned


def sign(unsigned: Unsigned, keys: Keys) -> Mapping[str, str]:
    """The three headers of a signed request."""
    nonce = str(unsigned.at)
    message = f"{nonce}:{unsigned.target}" + (f":{unsigned.body}" if unsigned.body else "")
    digest = hmac.new(keys.secret.encode(), hashlib.sha256(message.encode()).digest(), hashlib.sha512).digest()
    return {"x-api-key": keys.key, "api-signature": base64.b64encode(digest).decode(), "x-nonce": nonce}
