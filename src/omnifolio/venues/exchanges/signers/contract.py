"""What a signer is given and what it gives: headers for a request whose URL and body are settled."""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from msgspec import Struct

from omnifolio.model.clock import EpochMs


class Unsigned(Struct, frozen=True, kw_only=True):
    """A request as it will be sent. `path` is the venue's own, from the host on; `query` is encoded and has no question mark.

    `at` is the venue's time.
    """

    method: str
    path: str
    query: str
    body: str
    at: EpochMs

    @property
    def target(self) -> str:
        """Path and query as they stand in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path


class Keys(Struct, frozen=True, kw_only=True):
    """The credentials of one account. `memo` and `passphrase` are what a venue asks for besides key and secret, "" where it asks
    for nothing."""

    key: str
    secret: str = ""
    memo: str = ""
    passphrase: str = ""

    def __repr__(self) -> str:
        return "Keys(…)"


Signer = Callable[[Unsigned, Keys], Mapping[str, str]]
"""The headers that make a request the account's own."""


def hmac_sha256(secret: str, message: str) -> str:
    """HMAC-SHA256 in lower-case hex."""
    return hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
