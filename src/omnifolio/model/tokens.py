"""Tokens: what a venue or a chain names, and the forms of their ids.

A token id is CAIP-19 for chains (`eip155:1/erc20:0x…`, `eip155:1/slip44:60`) and `venue:<venue>/<raw code>` for venues. It is
the only thing that balances, legs and quotes store; tickers are shown, never compared.
"""

import re
from typing import Literal, NewType
from urllib.parse import unquote

from msgspec import Struct

from omnifolio.model.errors import InvalidField

TokenId = NewType("TokenId", str)
TokenKind = Literal["crypto", "fiat", "nft"]

TOKEN_ID_LENGTH_MAX = 200
_VENUE = re.compile(r"venue:[a-z0-9_-]{1,40}/[\x21-\x7e]{1,120}")
_CAIP_19 = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}(/[-.%a-zA-Z0-9]{1,78})?")


class TokenFacts(Struct, frozen=True, kw_only=True):
    """What is known of a token when a reader first meets it. `decimals` None = not stated."""

    id: TokenId
    ticker: str
    name: str = ""
    kind: TokenKind = "crypto"
    decimals: int | None = None


def token_id(text: str) -> TokenId:
    """`text` as a token id. Raises: InvalidField when it has neither of the two forms."""
    if len(text) <= TOKEN_ID_LENGTH_MAX and (_VENUE.fullmatch(text) or _CAIP_19.fullmatch(text)):
        return TokenId(text)
    raise InvalidField(f"token id: expected venue:<venue>/<code> or CAIP-19, got {text[:60]!r}")


def venue_token(venue: str, code: str) -> TokenId:
    """The token id of a venue's raw code: venue_token("kraken", "XXBT") is `venue:kraken/XXBT`."""
    return token_id(f"venue:{venue}/{code.replace(' ', '_')}")


def contract_of(token: TokenId) -> str | None:
    """The contract address in a chain token's id, as the chain writes it, else None."""
    namespace, _, reference = token.partition("/")[2].partition(":")
    return unquote(reference.partition("/")[0]) if namespace.startswith(("erc", "token", "trc20")) else None


def venue_of(token: TokenId) -> str | None:
    """The venue of a venue token, else None."""
    return token[6:].partition("/")[0] if token.startswith("venue:") else None
