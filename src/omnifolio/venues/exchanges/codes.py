"""A venue's names of tokens: canonical code, token id, ticker and kind.

A code means something within its venue only; the raw canonical code is kept in the token id, and the ticker is for people.
"""

from collections.abc import Mapping
from typing import Any

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId, venue_of, venue_token


class Codes:
    """The tokens of one venue. Remembers what it has translated, so a lookup is one dictionary access."""

    def __init__(self, venue: str, *, aliases: Mapping[str, str], tickers: Mapping[str, str], fiat: frozenset[str]) -> None:
        self.venue = venue
        self._aliases = aliases
        self._tickers = tickers
        self._fiat = fiat
        self._ids: dict[str, TokenId] = {}

    def token(self, code: Any) -> TokenId:
        """The token of a raw code, in any of the venue's spellings. Raises: InvalidField when it is no code at all."""
        found = self._ids.get(code) if isinstance(code, str) else None
        if found is None:
            found = self._ids[code] = venue_token(self.venue, self.canonical(code))
        return found

    def canonical(self, code: Any) -> str:
        """The venue's own spelling of a raw code. Raises: InvalidField."""
        if not isinstance(code, str) or not code.strip():
            raise InvalidField(f"token code: expected text, got {type(code).__name__}")
        return self._aliases.get(code, code)

    def is_known(self, code: str) -> bool:
        """Whether the row or an earlier answer names this code."""
        return code in self._ids or code in self._aliases or code in self._tickers or code in self._fiat

    def is_fiat(self, token: TokenId) -> bool:
        """Whether the token is government money."""
        return self.code_of(token) in self._fiat

    def facts(self, token: TokenId) -> TokenFacts:
        """Ticker and kind of a token of this venue."""
        code = self.code_of(token)
        return TokenFacts(id=token, ticker=self._tickers.get(code, code), kind="fiat" if code in self._fiat else "crypto")

    def code_of(self, token: TokenId) -> str:
        """The canonical code in a token id of this venue."""
        assert venue_of(token) == self.venue
        return token.partition("/")[2]
