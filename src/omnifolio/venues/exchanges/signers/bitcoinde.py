"""Bitcoin.de (trading API v4): HMAC-SHA256 over method, whole URL, key, nonce and the MD5 of what is sent, with `#` between them.

Source: www.bitcoin.de/en/api/tapi/v4/docu (authentication), in excerpts and samples, 2026-11-28.
"""

import hashlib
from collections.abc import Mapping

from omnifolio.venues.exchanges.signers.contract import Keys, Unsigned, hmac_sha256

ORIGIN = "https://api.bitcoin.de"
"""What the signed URL begins with, wherever the request goes through."""


def sign(unsigned: Unsigned, keys: Keys) -> Mapping[str, str]:
    """The three headers of a signed request."""
    nonce = str(unsigned.at)
    sent = hashlib.md5(unsigned.body.encode(), usedforsecurity=False).hexdigest()
    signature = hmac_sha256(keys.secret, "#".join((unsigned.method, ORIGIN + unsigned.target, keys.key, nonce, sent)))
    return {"X-API-KEY": keys.key, "X-API-NONCE": nonce, "X-API-SIGNATURE": signature}
